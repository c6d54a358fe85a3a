/**
 * Hostile bytes for everything here that reads bytes: good inputs with some bytes changed, cut,
 * doubled or joined, from a seed. `npx node libs/tracker/fuzz.mjs [inputs] [seed]` runs as many as
 * you like; the specs run 100,000.
 */
import { AnnounceTable } from './announce-table';
import { HttpTracker } from './http-tracker';
import { HttpTrackerConnection } from './http-tracker-connection';
import { encodeLsd, parseLsd } from './lsd';
import {
  parseAnnounceAnswer,
  parseScrapeAnswer,
  TrackerAnswerError,
  TrackerFailure,
} from './tracker-answer';
import type { ChangedPeer } from './swarm-exchange';
import { announceUrl, type AnnounceFacts } from './tracker-url';
import { UdpTracker } from './udp-tracker';
import { UdpTrackerClient } from './udp-tracker-client';

/** Feeds `inputs` inputs to every reader; throws where one misbehaves. Returns how many were understood. */
export function fuzz(inputs: number, seed: number): Record<string, number> {
  const understood: Record<string, number> = {};
  for (const [name, target] of Object.entries(targets)) {
    const random = new Draw(seed);
    const { samples, feed } = target();
    understood[name] = 0;
    for (let i = 0; i < inputs; i++) {
      const input = random.mutate(samples);
      try {
        if (feed(input, i)) understood[name]++;
      } catch (error) {
        const hex = Buffer.from(input).toString('hex');
        throw new Error(`${name}, input ${i} of seed ${seed}: ${hex}`, {
          cause: error,
        });
      }
    }
  }
  return understood;
}

interface Target {
  readonly samples: readonly Uint8Array[];
  /** True where the input was understood. */
  readonly feed: (input: Uint8Array, turn: number) => boolean;
}

const words = new Uint32Array([1, 2, 3, 4]);
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const facts: AnnounceFacts = {
  infoHash: new Uint8Array(20).fill(7),
  peerId: new Uint8Array(20).fill(8),
  port: 6881,
  uploaded: 0,
  downloaded: 0,
  left: 1,
  event: 'started',
  key: 99,
};

/** Takes changes and looks at them. */
const told = {
  swarm: (infoHash: Uint8Array) => demand(infoHash.length === 20, 'no hash'),
  peer: ({ port }: ChangedPeer) =>
    demand(port > 0 && port < 65_536, 'port out of bounds'),
};

/** A table in which nothing may ever be out of place. */
function boundedTable() {
  const limits = { maxPeers: 500, maxSwarms: 200, peersPerSwarm: 50 };
  const table = new AnnounceTable({ seed: words, shared: true, ...limits });
  const check = (turn: number) => {
    const { peers, seeds, swarms } = table.stats;
    demand(peers >= 0 && peers <= limits.maxPeers, 'peers out of bounds');
    demand(seeds >= 0 && seeds <= peers, 'seeds out of bounds');
    demand(swarms <= limits.maxSwarms, 'swarms out of bounds');
    if (turn % 50 === 0) table.sweep(turn * 1000, 100);
    if (turn % 500 === 0) table.changes(told, turn * 1000);
  };
  return { table, check };
}

const targets: Record<string, () => Target> = {
  'HTTP requests': () => {
    const { table, check } = boundedTable();
    const http = new HttpTracker({ table });
    const announce = announceUrl('/announce', facts);
    return {
      samples: [
        bytes(`GET ${announce} HTTP/1.1\r\nHost: x\r\n\r\n`),
        bytes(`GET ${announce}&compact=0&numwant=9 HTTP/1.0\r\n\r\n`),
        bytes('GET /scrape?info_hash=aaaaaaaaaaaaaaaaaaaa HTTP/1.1\n\n'),
        bytes('POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc'),
      ],
      feed: (input, turn) => {
        const connection = new HttpTrackerConnection(http, '10.0.0.1', 0);
        let answered = 0;
        const cut = turn % (input.length + 1);
        for (const part of [input.subarray(0, cut), input.subarray(cut)])
          connection.receive(part, turn * 1000, (answer) => {
            demand(answer[0] === 72 && answer.length > 50, 'no answer');
            answered++;
            return true;
          });
        check(turn);
        return answered > 0;
      },
    };
  },
  datagrams: () => {
    const { table, check } = boundedTable();
    const udp = new UdpTracker({ table, secret: words });
    const connect = Buffer.from('00000417271019800000000001020304', 'hex');
    udp.receive(connect, '10.0.0.1', 0);
    const id = udp.out.slice(8, 16);
    const proven = (rest: Uint8Array) => new Uint8Array([...id, ...rest]);
    const announce = new Uint8Array(102);
    announce[3] = 1;
    announce.set([0x1a, 0xe1, 2, 10, 47, 47], 88);
    return {
      samples: [
        connect,
        proven(announce),
        proven(bytes('\0\0\0\x02abcdaaaaaaaaaaaaaaaaaaaa')),
      ],
      feed: (input, turn) => {
        const stranger = turn % 2 === 0;
        const from = stranger ? '10.0.0.2' : '10.0.0.1';
        const length = udp.receive(input, from, 0);
        demand(length <= (stranger ? input.length : 1400), 'too much sent');
        check(turn);
        return length > 0;
      },
    };
  },
  'announce and scrape answers': () => ({
    samples: [
      bytes('d8:intervali1800e5:peers12:abcdefghijkl6:peers60:e'),
      bytes('d5:peersld2:ip9:127.0.0.14:porti1eee8:retry in5:nevere'),
      bytes('d5:filesd20:aaaaaaaaaaaaaaaaaaaad8:completei1eeee'),
      bytes('d14:failure reason2:no8:retry ini5ee'),
    ],
    feed: (input, turn) => {
      try {
        if (turn % 2) parseScrapeAnswer(input);
        else
          for (const { port } of parseAnnounceAnswer(input).peers)
            demand(port > 0 && port < 65_536, 'port out of bounds');
        return true;
      } catch (error) {
        if (error instanceof TrackerAnswerError) return false;
        if (error instanceof TrackerFailure) return true;
        throw error;
      }
    },
  }),
  'answering datagrams': () => {
    // A request has transaction 5 and its connection 6.
    const client = new UdpTrackerClient({ random: () => 5, family: 4 });
    return {
      samples: [
        bytes('\0\0\0\0\0\0\0\x06abcdefgh'),
        bytes('\0\0\0\x01\0\0\0\x05\0\0\x07\x08\0\0\0\x01\0\0\0\x01abcdef'),
        bytes('\0\0\0\x03\0\0\0\x05no'),
      ],
      feed: (input, turn) => {
        const now = turn * 1000;
        client.handle({ type: 'cancel', call: 1 }, now);
        client.handle({ type: 'announce', call: 1, facts }, now);
        return (
          client.handle({ type: 'datagram', bytes: input }, now).length > 0
        );
      },
    };
  },
  'local discovery': () => ({
    samples: encodeLsd({
      port: 6881,
      infoHashes: ['a'.repeat(40), 'b'.repeat(40)],
      cookie: 'x',
    }),
    feed: (input) => parseLsd(input) !== undefined,
  }),
};

function demand(truth: boolean, what: string): void {
  if (!truth) throw new Error(what);
}

/** A seeded source of changed samples. */
class Draw {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 1;
  }

  mutate(samples: readonly Uint8Array[]): Uint8Array {
    let input = samples[this.below(samples.length)].slice();
    for (let changes = this.below(5); changes > 0; changes--) {
      const at = this.below(input.length + 1);
      const to = Math.min(at + this.below(30), input.length);
      const kind = this.below(6);
      if (kind < 3 && input.length > 0)
        input[at % input.length] =
          kind === 0 ? this.below(256) : 48 + this.below(80);
      else if (kind === 3) input = input.slice(0, at);
      else if (kind === 4)
        input = join(input.subarray(0, at), input.subarray(to));
      else input = join(input.subarray(0, to), input.subarray(at));
    }
    return input;
  }

  private below(limit: number): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return (x >>> 0) % limit;
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
