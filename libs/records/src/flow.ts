/**
 * Steps that wait for one another, written in the order in which they happen. A flow is a
 * generator that yields what it waits for as a function which is handed a `resume`; nothing here
 * knows promises or turns of an event loop, so a flow goes on inside the `handle` call that
 * brought its answer, in the program and in the simulation alike.
 */
export type Start<T> = (resume: (value: T) => void) => void;
export type Flow<T> = Generator<Start<unknown>, T, unknown>;

/** Waits for one answer; answers after the first are ignored. */
export function* wait<T>(start: Start<T>): Flow<T> {
  return (yield start as Start<unknown>) as T;
}

/** Runs several flows beside one another and waits for all their results, in their order. */
export function* all<T>(flows: readonly Flow<T>[]): Flow<T[]> {
  if (flows.length === 0) return [];
  return yield* wait<T[]>((resume) => {
    const results: T[] = [];
    let left = flows.length;
    flows.forEach((flow, i) =>
      run(flow, (result) => {
        results[i] = result;
        if (--left === 0) resume(results);
      }),
    );
  });
}

/** Runs two flows beside one another and waits for both. */
export function* both<A, B>(a: Flow<A>, b: Flow<B>): Flow<[A, B]> {
  return (yield* all<A | B>([a, b])) as [A, B];
}

/** Starts a flow; `done` gets its result, at once if it never has to wait. */
export function run<T>(flow: Flow<T>, done: (result: T) => void): void {
  const step = (first: unknown): void => {
    let value = first;
    for (;;) {
      const next = flow.next(value);
      if (next.done) return done(next.value);
      let state: 'starting' | 'waiting' | 'resumed' = 'starting';
      const resume = (answer: unknown): void => {
        if (state === 'resumed') return;
        const waiting = state === 'waiting';
        state = 'resumed';
        if (waiting) step(answer);
        else value = answer;
      };
      next.value(resume);
      if ((state as string) !== 'resumed') {
        state = 'waiting';
        return;
      }
    }
  };
  step(undefined);
}
