/** An EventSource for specs: they send what the node would. */
export class FakeEventSource extends EventTarget {
  static last: FakeEventSource;
  static readonly open = (url: string): EventSource =>
    new FakeEventSource(url) as unknown as EventSource;

  closed = false;

  constructor(readonly url: string) {
    super();
    FakeEventSource.last = this;
  }

  close(): void {
    this.closed = true;
  }

  emit(type: string, data?: unknown, lastEventId = ''): void {
    this.dispatchEvent(
      data === undefined
        ? new Event(type)
        : new MessageEvent(type, { data: JSON.stringify(data), lastEventId }),
    );
  }
}
