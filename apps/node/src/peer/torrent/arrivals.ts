/** Waits for what comes next: for the readers of a file that is still being downloaded. */
export class Arrivals {
  private waiters: (() => void)[] = [];

  /** Resolves when something has come or will not come any more, at the latest after `patience` milliseconds. */
  next(patience: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, patience);
      this.waiters.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  tell(): void {
    for (const resolve of this.waiters.splice(0)) resolve();
  }
}
