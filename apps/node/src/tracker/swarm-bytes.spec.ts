import {
  unpackPeers,
  packPeers,
  PEER_BYTES,
  ANNOUNCED_PEER_BYTES,
} from '@dnd/records';
import { AnnounceEvent, AnnounceRequest, AnnounceTable } from '@dnd/tracker';
import { copyOf, ownAnnounces } from './swarm-bytes';

const origin = 77;
const swarm = new Uint8Array(20).fill(9);
const table = (own: number) =>
  new AnnounceTable({ seed: new Uint32Array([1, 2, 3, 4]), origin: own });

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
  const here = table(origin);
  announce(here, 1, true, AnnounceEvent.completed, now);
  announce(here, 2, false, AnnounceEvent.started, now);
  const [update] = here.changes('local', now);
  const own = ownAnnounces(update.bytes, origin);
  expect(own.completed).toBe(1);
  const peers = unpackAnnounced(own.peers);
  expect(peers.map(({ port, flags }) => [port, flags]).sort()).toEqual([
    [6001, 1],
    [6002, 0],
  ]);

  const there = table(78);
  const state = {
    swarm: '09'.repeat(20),
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
  const [next] = there.changes('local', now);
  expect(
    unpackAnnounced(ownAnnounces(next.bytes, 78).peers).map(({ port }) => port),
  ).toEqual([6003]);
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
    swarm: '',
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
