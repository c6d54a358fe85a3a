export type { PeerCommands, PeerEvents } from './peer-link';
