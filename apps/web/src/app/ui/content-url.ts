/** Where the bytes of one file of a torrent are served. */
export const contentUrl = (infoHash: string, path: string): string =>
  `/api/library/${infoHash}/files/${path.split('/').map(encodeURIComponent).join('/')}`;
