export { Bitfield } from './bitfield';
export type { Metainfo, MetainfoFile, MetainfoFormat } from './metainfo';
