/** Seconds after which peers should announce again so that so many of them make no more announces than wanted. */
export function announceInterval(
  peers: number,
  announcesPerSecond: number,
  least: number,
  most: number,
): number {
  const needed = Math.ceil(peers / announcesPerSecond);
  return Math.min(Math.max(needed, least), most);
}
