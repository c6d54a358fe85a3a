/** One piece of work after another, in the order in which it was asked for. */
export class Turns {
  private last: Promise<unknown> = Promise.resolve();

  /** Resolves when all that has been asked for so far is through. */
  get through(): Promise<unknown> {
    return this.last;
  }

  /** Rejects as the work does; work that comes later is done all the same. */
  take(work: () => Promise<void> | void): Promise<void> {
    const run = this.last.then(work);
    this.last = run.catch(() => undefined);
    return run;
  }
}
