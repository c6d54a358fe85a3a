/**
 * Holepunching (BEP 55) of one torrent: what its connections say of it to what is to be said and
 * dialled. Three parts in one: as initiator it asks a relay to bring two ends together, as relay it
 * tells both to dial, and told so by a relay it has the owner dial over uTP.
 *
 * Promises: one peer makes us say or dial no more than twenty times a minute, whatever it sends;
 * nobody is told to dial an address that is not that of a peer connected with us.
 */
import {
  HolepunchError,
  type HolepunchMessage,
  type HolepunchType,
} from './holepunch-message';

/** Where datagrams reach somebody. */
export interface Endpoint {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
}

/** What must be known of the torrent's peers. */
export interface HolepunchPeers<Peer> {
  /** The connected peer that is reached there. */
  at(endpoint: Endpoint): Peer | undefined;
  /** Where a connected peer is reached; undefined when that is not known. */
  endpointOf(peer: Peer): Endpoint | undefined;
  /** It has offered the extension. */
  supports(peer: Peer): boolean;
  isSelf(endpoint: Endpoint): boolean;
}

export type HolepunchOutput<Peer> =
  | {
      readonly type: 'send';
      readonly to: Peer;
      readonly message: HolepunchMessage;
    }
  | { readonly type: 'dial'; readonly endpoint: Endpoint };

/** Messages of one peer that are acted on in a minute. */
const MOST = 20;
const MINUTE = 60_000;
/** Rendezvous that are waited for; the oldest gives way. */
const MOST_PENDING = 50;
/** From one rendezvous with an endpoint to the next, milliseconds. */
const AGAIN = 60_000;

export class Holepunch<Peer> {
  readonly #heard = new Map<Peer, { count: number; since: number }>();
  /** When a rendezvous was last asked for, by endpoint. */
  readonly #asked = new Map<string, number>();

  constructor(private readonly peers: HolepunchPeers<Peer>) {}

  /** Dialling `target` has led to nothing: asks `relays`, which may be connected with it. */
  seek(
    target: Endpoint,
    relays: Iterable<Peer>,
    now: number,
  ): HolepunchOutput<Peer>[] {
    const key = keyOf(target);
    if (now - (this.#asked.get(key) ?? -Infinity) < AGAIN) return [];
    for (const relay of relays) {
      if (!this.peers.supports(relay)) continue;
      this.#asked.delete(key);
      this.#asked.set(key, now);
      if (this.#asked.size > MOST_PENDING) {
        const [oldest] = this.#asked.keys();
        this.#asked.delete(oldest);
      }
      return [send(relay, 'rendezvous', target)];
    }
    return [];
  }

  handle(
    from: Peer,
    message: HolepunchMessage,
    now: number,
  ): HolepunchOutput<Peer>[] {
    if (!this.#mayAct(from, now)) return [];
    switch (message.type) {
      case 'rendezvous':
        return this.#relay(from, message);
      case 'connect':
        return this.#isPeer(message)
          ? []
          : [{ type: 'dial', endpoint: endpointOf(message) }];
      case 'error':
        // Whoever could not be reached is dialled again in its time.
        return [];
    }
  }

  gone(peer: Peer): void {
    this.#heard.delete(peer);
  }

  #relay(from: Peer, message: HolepunchMessage): HolepunchOutput<Peer>[] {
    const { peers } = this;
    const target = endpointOf(message);
    const refuse = (code: keyof typeof HolepunchError) => [
      send(from, 'error', target, HolepunchError[code]),
    ];
    if (peers.isSelf(target)) return refuse('noSelf');
    const other = peers.at(target);
    if (other === undefined || other === from) return refuse('notConnected');
    if (!peers.supports(other)) return refuse('noSupport');
    const back = peers.endpointOf(from);
    if (back === undefined) return refuse('noSuchPeer');
    return [send(other, 'connect', back), send(from, 'connect', target)];
  }

  #isPeer(message: HolepunchMessage): boolean {
    const endpoint = endpointOf(message);
    return this.peers.isSelf(endpoint) || this.peers.at(endpoint) !== undefined;
  }

  #mayAct(peer: Peer, now: number): boolean {
    let heard = this.#heard.get(peer);
    if (heard === undefined || now - heard.since >= MINUTE) {
      heard = { count: 0, since: now };
      this.#heard.set(peer, heard);
    }
    return ++heard.count <= MOST;
  }
}

function send<Peer>(
  to: Peer,
  type: HolepunchType,
  { address, port }: Endpoint,
  error: number = HolepunchError.none,
): HolepunchOutput<Peer> {
  return { type: 'send', to, message: { type, address, port, error } };
}

const endpointOf = ({ address, port }: HolepunchMessage): Endpoint => ({
  address,
  port,
});

const keyOf = ({ address, port }: Endpoint): string =>
  `${address.join('.')}:${port}`;
