/**
 * What the program is run with: by default V8 lets over a hundred megabytes of what was made and dropped
 * lie about, since it takes the machine to be its own. The young generation is small (MB), and the old
 * one is looked through when it has doubled (per cent). What is young is so little that one thread
 * clears it away sooner than several that must be woken. Nothing is born old: V8 takes what lived long
 * while the program started for a sign, and then each socket that is over keeps alive what it knew. And
 * what runs once a second is not compiled anew within minutes: a node at rest would do little else. The
 * program may have the heap looked through itself (apps/node/src/tidy.ts).
 */
export const v8Flags = [
  '--expose-gc',
  '--max-semi-space-size=16',
  '--no-parallel-scavenge',
  '--heap-growing-percent=100',
  '--no-allocation-site-pretenuring',
  '--invocation-count-for-maglev=3000',
  '--invocation-count-for-turbofan=20000',
];
