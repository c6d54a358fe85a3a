/** What an operator, a simulation or a test may tune. Times are milliseconds. */
export interface ChordSettings {
  /** Length r of the successor list; at most 32. */
  readonly successors: number;
  /** Contacts kept besides neighbours and fingers; 0 routes by successors and fingers alone. */
  readonly contacts: number;
  /** How many owners a lookup returns unless it says otherwise. */
  readonly owners: number;
  /** Mean time between two stabilisations while the ring changes; each is drawn ± 25 %. */
  readonly stabiliseMs: number;
  /** The same once the neighbourhood has not changed for `quietAfterMs`. */
  readonly quietStabiliseMs: number;
  readonly quietAfterMs: number;
  /** Time between two finger lookups. */
  readonly fingerMs: number;
  /** A joining node that reaches nobody for one to two of these forms a ring of its own. */
  readonly aloneMs: number;
  /** Least time between two beacons; a ring of N nodes uses N / 20 s when that is longer. */
  readonly beaconMs: number;
  /** First and longest time between attempts to reach a contact given by hand. */
  readonly seedRetryMs: number;
  readonly seedRetryLimitMs: number;
  /** Bounds of a call's time-out, smoothed RTT + 4 · variance in between. */
  readonly callMinMs: number;
  readonly callMaxMs: number;
  /** The time-out of a call to a node never measured. */
  readonly callFirstMs: number;
  /** Time-outs in a row that make a node dead. */
  readonly misses: number;
  /** A node heard itself within this time becomes a successor without being asked again. */
  readonly freshMs: number;
  /** An owner heard itself within this time is named without being asked again. */
  readonly trustMs: number;
  /** First and longest time between pings to a dead node. */
  readonly deadProbeMs: number;
  readonly deadProbeLimitMs: number;
  /** Dead nodes remembered. */
  readonly deadLimit: number;
  /** A lookup that has no answer by then fails. */
  readonly lookupMs: number;
  /** Local lookups at one time; more are refused. */
  readonly lookupLimit: number;
}

export const defaultSettings: ChordSettings = {
  successors: 4,
  contacts: 2048,
  owners: 3,
  stabiliseMs: 1_000,
  quietStabiliseMs: 1_500,
  quietAfterMs: 30_000,
  fingerMs: 5_000,
  aloneMs: 1_000,
  beaconMs: 2_000,
  seedRetryMs: 500,
  seedRetryLimitMs: 10_000,
  callMinMs: 200,
  callMaxMs: 2_000,
  callFirstMs: 500,
  misses: 2,
  freshMs: 5_000,
  trustMs: 1_000,
  deadProbeMs: 1_000,
  deadProbeLimitMs: 30_000,
  deadLimit: 512,
  lookupMs: 10_000,
  lookupLimit: 1_024,
};
