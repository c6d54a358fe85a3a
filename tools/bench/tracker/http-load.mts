/** Announces over HTTP with or without keep-alive, one request under way per connection; every answer is read whole and checked. */
import { connect, type Socket } from 'node:net';
import {
  basePort,
  dice,
  Latencies,
  peerId,
  type LoadResult,
  type SwarmSet,
} from './swarm-set.mts';

const connections = 32;

export interface HttpLoadOptions {
  readonly port: number;
  readonly set: SwarmSet;
  readonly keepAlive: boolean;
  readonly wanted: number;
}

interface Tally {
  answers: number;
  bad: number;
  lost: number;
  peers: number;
}

/** One connection after the other, or one for all. */
async function speak(
  { port, set, keepAlive, wanted }: HttpLoadOptions,
  draw: (below: number) => number,
  until: number,
  tally: Tally,
  latencies: Latencies,
): Promise<void> {
  let socket: Socket | undefined;
  while (performance.now() < until) {
    socket ??= await open(port);
    const peer = draw(set.peers);
    const path = `/announce?info_hash=${set.escaped[draw(set.hashes.length)]}&peer_id=${peerId(peer)}&port=${basePort + peer}&uploaded=0&downloaded=0&left=1&compact=1&numwant=${wanted}`;
    const asked = performance.now();
    const answer = await ask(
      socket,
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: ${keepAlive ? 'keep-alive' : 'close'}\r\n\r\n`,
    );
    latencies.add(performance.now() - asked);
    const peers = peersIn(answer.bytes);
    if (answer.bytes.length === 0) tally.lost++;
    else if (peers < 0) tally.bad++;
    else {
      tally.answers++;
      tally.peers += peers;
    }
    if (!keepAlive || answer.ended) {
      socket.destroy();
      socket = undefined;
    }
  }
  socket?.destroy();
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.setNoDelay(true);
    socket.on('error', reject);
  });
}

/** The whole answer: as long as Content-Length says, or until the other end closes. */
function ask(
  socket: Socket,
  request: string,
): Promise<{ bytes: Buffer; ended: boolean }> {
  return new Promise((resolve) => {
    let bytes: Buffer = Buffer.alloc(0);
    const done = (ended: boolean): void => {
      socket.off('data', onData);
      socket.off('close', onEnd);
      socket.off('end', onEnd);
      resolve({ bytes, ended });
    };
    const onEnd = (): void => done(true);
    const onData = (chunk: Buffer): void => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const body = bytes.indexOf('\r\n\r\n') + 4;
      if (body < 4) return;
      const length = /content-length: *(\d+)/i.exec(
        bytes.toString('latin1', 0, body),
      );
      if (length && bytes.length >= body + Number(length[1])) done(false);
    };
    socket.on('data', onData);
    socket.on('close', onEnd);
    socket.on('end', onEnd);
    socket.write(request);
  });
}

/** How many compact peers an answer has; -1 where it is none. */
function peersIn(answer: Buffer): number {
  if (!answer.subarray(0, 15).toString('latin1').includes(' 200 ')) return -1;
  const at = answer.indexOf('5:peers');
  if (at < 0) return -1;
  const colon = answer.indexOf(':', at + 7);
  return Number(answer.toString('latin1', at + 7, colon)) / 6;
}

export async function announceOverHttp(
  options: HttpLoadOptions,
  seconds: number,
): Promise<LoadResult> {
  const tally: Tally = { answers: 0, bad: 0, lost: 0, peers: 0 };
  const latencies = new Latencies();
  const began = performance.now();
  const until = began + seconds * 1000;
  const draw = dice(0x5eed);
  await Promise.all(
    Array.from({ length: connections }, () =>
      speak(options, draw, until, tally, latencies),
    ),
  );
  return {
    answers: tally.answers,
    bad: tally.bad,
    lost: tally.lost,
    peersPerAnswer: tally.peers / tally.answers,
    seconds: (performance.now() - began) / 1000,
    p50: latencies.at(0.5),
    p99: latencies.at(0.99),
  };
}
