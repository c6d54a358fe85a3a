import {
  unpackPeers,
  packPeers,
  PEER_BYTES,
  ANNOUNCED_PEER_BYTES,
} from '@dnd/records';
import { AnnounceEvent, AnnounceRequest, AnnounceTable } from '@dnd/tracker';
import { copyOf, ToldSwarms } from './swarm-bytes';

const swarm = new Uint8Array(20).fill(9);
const table = () =>
  new AnnounceTable({ seed: new Uint32Array([1, 2, 3, 4]), shared: true });
const toldBy = (from: AnnounceTable, now: number) => {
  const told = new ToldSwarms();
  from.changes(told, now);
  return told.take();
};

function announce(
  to: AnnounceTable,
  last: number,
  complete: boolean,
  event: AnnounceRequest['event'],
  now: number,
) {
  const request = new AnnounceRequest();
  request.infoHash.set(swarm);
  request.peerId.fill(last);
  request.ip.set([10, 0, 0, last]);
  request.port = 6000 + last;
  request.complete = complete;
  request.event = event;
  return to.announce(request, now);
}

it('carries what clients said here to another node, whose clients then learn of them', () => {
  const now = 1_700_000_000_000;
  const here = table();
  announce(here, 1, true, AnnounceEvent.completed, now);
  announce(here, 2, false, AnnounceEvent.started, now);
  const [own] = toldBy(here, now);
  expect(own).toMatchObject({ swarm: '09'.repeat(20), want: 0, completed: 1 });
  const peers = unpackAnnounced(own.peers);
  expect(peers.map(({ port, flags }) => [port, flags]).sort()).toEqual([
    [6001, 1],
    [6002, 0],
  ]);

  const there = table();
  const state = {
    seeds: 1,
    leechers: 1,
    completed: 1,
    peers: withoutTtl(own.peers),
  };
  there.copy(swarm, copyOf(state), 30, now);
  const answer = announce(there, 3, false, AnnounceEvent.started, now);
  expect(answer).toMatchObject({
    complete: 1,
    incomplete: 2,
    downloaded: 1,
    peers4: 2,
  });
  // A copy is nobody's announce: it is not told on.
  const [next] = toldBy(there, now);
  expect(unpackAnnounced(next.peers).map(({ port }) => port)).toEqual([6003]);
});

it('packs large swarms and several at once as the ring reads them', () => {
  const from = table();
  for (let last = 1; last <= 200; last++)
    announce(from, last, last % 2 === 0, AnnounceEvent.started, 0);
  const other = new AnnounceRequest();
  other.infoHash.fill(8);
  other.ip.set(Array.from({ length: 16 }, (_, i) => 0xf0 + i));
  other.ipLength = 16;
  other.port = 7;
  from.announce(other, 0);
  const [large, small] = toldBy(from, 0);
  expect(unpackAnnounced(large.peers)).toHaveLength(200);
  expect(small.swarm).toBe('08'.repeat(20));
  expect(unpackAnnounced(small.peers)).toMatchObject([
    { address: other.ip, port: 7 },
  ]);
});

it('leaves out who has gone and who cannot be reached', () => {
  const peer = {
    address: new Uint8Array([1, 2, 3, 4]),
    id: new Uint8Array(20),
    ttl: 1000,
  };
  const packed = packPeers([
    { ...peer, port: 1, flags: 2 },
    { ...peer, port: 0, flags: 0 },
    { ...peer, port: 5, flags: 4 },
  ]);
  const { peers } = copyOf({
    seeds: 0,
    leechers: 1,
    completed: 0,
    peers: withoutTtl(packed),
  });
  expect(peers).toMatchObject([{ port: 5, partial: true, seed: false }]);
});

function withoutTtl(packed: Uint8Array): Uint8Array {
  const count = packed.length / ANNOUNCED_PEER_BYTES;
  const out = new Uint8Array(count * PEER_BYTES);
  for (let i = 0; i < count; i++)
    out.set(
      packed.subarray(
        i * ANNOUNCED_PEER_BYTES,
        i * ANNOUNCED_PEER_BYTES + PEER_BYTES,
      ),
      i * PEER_BYTES,
    );
  return out;
}

const unpackAnnounced = (packed: Uint8Array) => unpackPeers(withoutTtl(packed));
