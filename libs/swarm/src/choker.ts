/**
 * Who may download from us. While we download: those that send us most, for they earn it
 * (tit for tat), and one that has not had the chance yet (optimistic). As a seed: everybody in turn,
 * or those that take fastest. Called every ten seconds; in between only free slots are filled.
 */
import type { SwarmPeer } from './swarm-peer';

/** A seed's peer keeps its slot for at least this long when others wait, ms. */
const SEED_TURN = 30_000;
/** Peers connected for less than this are three times as likely to be unchoked optimistically, ms. */
const NEWCOMER = 60_000;

export interface ChokingRound {
  readonly now: number;
  readonly slots: number;
  readonly seeding: boolean;
  readonly seedChoking: 'round-robin' | 'fastest';
  /** It is time for another optimistic unchoke. */
  readonly newOptimist: boolean;
  readonly random: () => number;
}

/** Peers that an upload slot is of use to. */
export function wantsSlot(peer: SwarmPeer): boolean {
  return peer.interested && !peer.uploadOnly && !peer.seed;
}

/** The peers that should be unchoked now; marks the optimistic one. */
export function chooseUnchoked(
  peers: Iterable<SwarmPeer>,
  round: ChokingRound,
): Set<SwarmPeer> {
  const candidates = [...peers].filter(wantsSlot);
  if (candidates.length <= round.slots) {
    for (const peer of candidates) peer.optimistic = false;
    return new Set(candidates);
  }
  candidates.sort(round.seeding ? bySeeding(round) : byTrade);
  const optimist = round.seeding ? undefined : pickOptimist(candidates, round);
  const chosen = new Set<SwarmPeer>();
  if (optimist !== undefined && round.slots > 0) chosen.add(optimist);
  for (const peer of candidates) {
    if (chosen.size >= round.slots) break;
    chosen.add(peer);
  }
  return chosen;
}

/** Snubbing peers last; then by what they send us; ties to those that are unchoked already. */
function byTrade(a: SwarmPeer, b: SwarmPeer): number {
  return (
    Number(a.snubbing) - Number(b.snubbing) ||
    b.down.rate - a.down.rate ||
    Number(a.amChoking) - Number(b.amChoking) ||
    a.unchokedAt - b.unchokedAt
  );
}

function bySeeding({
  now,
  seedChoking,
}: ChokingRound): (a: SwarmPeer, b: SwarmPeer) => number {
  if (seedChoking === 'fastest')
    return (a, b) => b.up.rate - a.up.rate || a.chokedAt - b.chokedAt;
  const inTurn = (peer: SwarmPeer) =>
    !peer.amChoking && now - peer.unchokedAt < SEED_TURN;
  // Whoever is in the middle of its turn keeps it; then whoever has waited longest.
  return (a, b) =>
    Number(inTurn(b)) - Number(inTurn(a)) ||
    Number(b.amChoking) - Number(a.amChoking) ||
    a.chokedAt - b.chokedAt ||
    a.unchokedAt - b.unchokedAt;
}

/** The best `slots - 1` are safe by their trade; of the rest one is drawn, newcomers thrice as likely. */
function pickOptimist(
  sorted: readonly SwarmPeer[],
  { now, slots, newOptimist, random }: ChokingRound,
): SwarmPeer | undefined {
  const present = sorted.find((peer) => peer.optimistic);
  if (present !== undefined && !newOptimist) return present;
  for (const peer of sorted) peer.optimistic = false;
  const rest = sorted.slice(Math.max(0, slots - 1));
  const weight = (peer: SwarmPeer) =>
    now - peer.connectedAt < NEWCOMER ? 3 : 1;
  let draw = random() * rest.reduce((sum, peer) => sum + weight(peer), 0);
  const drawn =
    rest.find((peer) => (draw -= weight(peer)) < 0) ?? rest[rest.length - 1];
  if (drawn !== undefined) drawn.optimistic = true;
  return drawn;
}

/** Slots at first, and at most, where no limit says how many make sense. */
export const FIRST_SLOTS = 8;
export const MOST_SLOTS = 64;
const LEAST_SLOTS = 4;

/** A piece should not take longer than this on its way, s. */
const PIECE_TIME = 2;

/**
 * Slots for an upload rate in bytes/s: enough that none is starved, few enough that each is worth
 * something and that pieces get through soon, for only whole ones can be passed on.
 */
export function slotsFor(rate: number, pieceLength: number): number {
  const slots = Math.min(
    MOST_SLOTS,
    Math.sqrt(rate * 0.0006),
    (rate * PIECE_TIME) / pieceLength,
  );
  return Math.max(LEAST_SLOTS, Math.round(slots));
}
