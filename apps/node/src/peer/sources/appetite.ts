/** How urgently a torrent needs more addresses: the one measure by which all sources are asked. */

/** What of a torrent tells how much it needs. */
export interface Seeker {
  readonly wantsConnections: boolean;
  readonly complete: boolean;
  readonly peers: { readonly sockets: { readonly size: number } };
}

export type Appetite =
  /** It dials nobody at present. */
  | 'sated'
  /** It has some peers and would take more. */
  | 'content'
  /** It has few. */
  | 'hungry'
  /** It has nobody to ask. */
  | 'starving';

const few = 5;

export function appetiteOf(session: Seeker): Appetite {
  if (!session.wantsConnections) return 'sated';
  const { size } = session.peers.sockets;
  if (size === 0) return session.complete ? 'content' : 'starving';
  return size < few ? 'hungry' : 'content';
}
