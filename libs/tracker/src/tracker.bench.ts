/**
 * What an announce costs from its bytes to its answer's bytes, without the socket, over UDP and
 * HTTP, and how the table carries and forgets a million peers. `npx node libs/tracker/bench.mjs`
 * runs it whole; the specs run it tiny.
 */
import { AnnounceRequest } from './announce-request';
import { AnnounceTable } from './announce-table';
import { HttpTracker } from './http-tracker';
import { HttpTrackerConnection } from './http-tracker-connection';
import { escapeBytes } from './tracker-url';
import { UdpTracker } from './udp-tracker';

export interface BenchmarkSize {
  readonly swarms: number;
  readonly peersPerSwarm: number;
  readonly announces: number;
}

export interface BenchmarkResult {
  readonly name: string;
  readonly operations: number;
  /** Something of the work, so that it cannot be left out. */
  readonly proof: number;
}

const NOW = 1_700_000_000_000;
/** One for all, as a load program has: ports tell its peers apart. */
const ADDRESS = '192.0.2.1';
const words = new Uint32Array([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344]);

/** Announces of random peers of random swarms, all known, each answered with 50 peers. */
export function udpAnnounces(size: BenchmarkSize): () => BenchmarkResult {
  const table = new AnnounceTable({ seed: words, shared: true });
  const udp = new UdpTracker({ table, secret: words });
  const datagram = announceDatagram(udp);
  const send = (swarm: number, peer: number, now: number) => {
    nameDatagram(datagram, swarm, peer);
    return udp.receive(datagram, ADDRESS, now);
  };
  for (let swarm = 0; swarm < size.swarms; swarm++)
    for (let peer = 0; peer < size.peersPerSwarm; peer++)
      send(swarm, peer, NOW);
  const draw = random();
  return () => {
    let bytes = 0;
    for (let i = 0; i < size.announces; i++)
      bytes += send(
        draw() % size.swarms,
        draw() % size.peersPerSwarm,
        NOW + 60_000,
      );
    return {
      name: 'announce over UDP',
      operations: size.announces,
      proof: bytes / size.announces,
    };
  };
}

/** The same over kept-alive HTTP, as libtorrent writes it. */
export function httpAnnounces(size: BenchmarkSize): () => BenchmarkResult {
  const table = new AnnounceTable({ seed: words, shared: true });
  const http = new HttpTracker({ table });
  const connection = new HttpTrackerConnection(http, ADDRESS, NOW);
  const hash = Buffer.alloc(20);
  const id = Buffer.from('-BE0001-000000000000');
  const requests: Buffer[] = [];
  for (let swarm = 0; swarm < size.swarms; swarm++)
    for (let peer = 0; peer < size.peersPerSwarm; peer++) {
      hash.writeUInt32BE(Math.imul(swarm + 1, 0x9e3779b1) >>> 0);
      hash.writeUInt32BE(swarm, 16);
      id.writeUInt32BE(peer + 1, 16);
      requests.push(
        Buffer.from(
          `GET /announce?info_hash=${escapeBytes(hash)}&peer_id=${escapeBytes(id)}` +
            `&port=${6881 + peer}&uploaded=0&downloaded=0&left=1048576&corrupt=0` +
            '&key=0BADCAFE&event=&numwant=50&compact=1&no_peer_id=1&supportcrypto=1&redundant=0 ' +
            'HTTP/1.1\r\nHost: tracker.example:6969\r\nUser-Agent: bench/1.0\r\n' +
            'Accept-Encoding: gzip\r\nConnection: keep-alive\r\n\r\n',
        ),
      );
    }
  let bytes = 0;
  const sink = (answers: Uint8Array) => {
    bytes += answers.length;
    return true;
  };
  for (const request of requests) connection.receive(request, NOW, sink);
  const draw = random();
  return () => {
    bytes = 0;
    for (let i = 0; i < size.announces; i++)
      connection.receive(
        requests[draw() % requests.length],
        NOW + 60_000,
        sink,
      );
    return {
      name: 'announce over HTTP',
      operations: size.announces,
      proof: bytes / size.announces,
    };
  };
}

/** A table with all of these peers, whose time is not over yet. */
export function fullTable(swarms: number, peersPerSwarm: number) {
  const table = new AnnounceTable({
    seed: words,
    shared: true,
    interval: 1800,
  });
  const request = new AnnounceRequest();
  const id = Buffer.from(request.peerId.buffer);
  const hash = Buffer.from(request.infoHash.buffer);
  request.numwant = 0;
  for (let peer = 0; peer < peersPerSwarm; peer++)
    for (let swarm = 0; swarm < swarms; swarm++) {
      hash.writeUInt32BE(Math.imul(swarm + 1, 0x9e3779b1) >>> 0);
      hash.writeUInt32BE(swarm, 16);
      id.writeUInt32BE(swarm, 12);
      id.writeUInt32BE(peer + 1, 16);
      request.ip.set([10, swarm >> 8, swarm, peer]);
      request.port = 1 + peer;
      request.complete = peer === 0;
      table.announce(request, NOW);
    }
  return table;
}

/** Calls `step` until every peer of the table is forgotten, an hour and a half later. */
export function expireAll(
  table: AnnounceTable,
  step: (sweep: () => void) => void,
): BenchmarkResult {
  const { peers } = table.stats;
  let steps = 0;
  while (table.stats.peers > 0 && steps++ < 1e6)
    step(() => table.sweep(NOW + 5_400_000));
  return { name: 'expire', operations: peers, proof: steps };
}

function announceDatagram(udp: UdpTracker): Buffer {
  const connect = Buffer.from('00000417271019800000000000000001', 'hex');
  const datagram = Buffer.alloc(98);
  udp.receive(connect, ADDRESS, NOW);
  datagram.set(udp.out.subarray(8, 16));
  datagram.writeUInt32BE(1, 8);
  datagram.writeUInt32BE(1, 68);
  datagram.writeInt32BE(50, 92);
  return datagram;
}

function nameDatagram(datagram: Buffer, swarm: number, peer: number): void {
  datagram.writeUInt32BE(Math.imul(swarm + 1, 0x9e3779b1) >>> 0, 16);
  datagram.writeUInt32BE(swarm, 32);
  datagram.writeUInt32BE(peer + 1, 52);
  datagram.writeUInt16BE(6881 + peer, 96);
}

/** xorshift32: the same numbers in every run. */
function random(): () => number {
  let x = 0x12345678;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}
