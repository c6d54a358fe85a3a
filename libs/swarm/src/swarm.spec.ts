import { Bitfield } from '@dnd/metainfo';
import { BLOCK_LENGTH } from './partial-piece';
import { ScriptedSwarm } from './testing/scripted-swarm';
import type { ScriptedPeer } from './testing/scripted-swarm';
import type { SwarmOptions } from './swarm';

const BLOCKS = 4;
const PIECE = BLOCKS * BLOCK_LENGTH;

function leech(pieceCount: number, options: Partial<SwarmOptions> = {}) {
  return new ScriptedSwarm(() => PIECE, { pieceCount, ...options });
}

function seeding(pieceCount: number, options: Partial<SwarmOptions> = {}) {
  return leech(pieceCount, { have: Bitfield.full(pieceCount), ...options });
}

function names(peer: ScriptedPeer): string[] {
  return peer.askedBlocks.map(([piece, block]) => `${piece}:${block}`);
}

/** The peers answer in turn until nothing is asked any more. */
function finish(script: ScriptedSwarm, ...peers: ScriptedPeer[]): void {
  for (let round = 0; round < 1_000; round++) {
    for (const peer of peers) peer.answers(1);
    script.check();
    if (peers.every((peer) => peer.asked.length === 0)) return;
  }
}

describe('interest', () => {
  it('is shown for a bitfield with something wanted and withdrawn when it is had', () => {
    const script = leech(2);
    const peer = script.join([1]);
    expect(peer.heard('interested')).toEqual(['interested']);
    finish(script, peer);
    expect(script.swarm.have.has(1)).toBe(true);
    expect(peer.heard('notInterested')).toEqual(['notInterested']);
  });

  it('is shown for a later have, too, and never to a peer with nothing', () => {
    const script = leech(2);
    const peer = script.join([]);
    expect(peer.heard('interested')).toEqual([]);
    peer.says((remote) => remote.onHave(0));
    expect(peer.heard('interested')).toEqual(['interested']);
  });

  it('is not shown for skipped pieces until they are wanted', () => {
    const script = leech(2, { priority: Uint8Array.of(4, 0) });
    const peer = script.join([1]);
    expect(peer.heard('interested')).toEqual([]);
    script.swarm.setPriority(1, 1, 4);
    script.swarm.settle();
    expect(peer.heard('interested')).toEqual(['interested']);
  });

  it('two that have all part', () => {
    const script = seeding(2);
    script.join('all');
    expect(script.disconnects).toMatchObject([
      { reason: 'both-complete', ban: false },
    ]);
  });
});

describe('requests', () => {
  it('are aligned blocks of what the peer has, each once, the short last one too', () => {
    const short = new ScriptedSwarm(
      (piece) => (piece === 1 ? BLOCK_LENGTH + 5 : PIECE),
      { pieceCount: 2 },
    );
    const peer = short.join([1]);
    expect(peer.asked).toEqual([
      { piece: 1, begin: 0, length: BLOCK_LENGTH },
      { piece: 1, begin: BLOCK_LENGTH, length: 5 },
    ]);
  });

  it('wait for the unchoke and are asked anew after a choke without the fast extension', () => {
    const script = leech(1);
    const peer = script.join('all', { fast: false, unchokes: false });
    expect(peer.asked).toEqual([]);
    peer.says((remote) => remote.onUnchoke());
    expect(peer.asked).toHaveLength(BLOCKS);
    peer.says((remote) => remote.onChoke());
    peer.asked = [];
    peer.says((remote) => remote.onUnchoke());
    expect(peer.asked).toHaveLength(BLOCKS);
  });

  it('are given to others at once when a peer with the fast extension chokes', () => {
    const script = leech(1);
    const first = script.join('all');
    expect(first.asked).toHaveLength(BLOCKS);
    first.says((remote) => remote.onChoke());
    const second = script.join('all');
    expect(second.asked).toHaveLength(BLOCKS);
  });

  it('are never more than the reqq of the peer', () => {
    const script = leech(8);
    const peer = script.join('all', { unchokes: false });
    peer.says((remote) => {
      remote.extended({ reqq: 3 });
      remote.onUnchoke();
    });
    for (let i = 0; i < 40; i++) {
      expect(peer.asked.length).toBeLessThanOrEqual(3);
      peer.answers(1);
      script.check();
    }
    expect(script.swarm.have.complete).toBe(true);
  });

  it('of an allowed-fast piece are sent while choked, of others not', () => {
    const script = leech(3);
    const peer = script.join('all', { unchokes: false });
    peer.says((remote) => remote.onAllowedFast(2));
    expect(names(peer)).toEqual(['2:0', '2:1', '2:2', '2:3']);
    const without = script.join([1], { unchokes: false });
    without.says((remote) => remote.onAllowedFast(0));
    expect(names(without)).toEqual([]);
  });

  it('follow what a peer suggests', () => {
    const script = leech(64);
    const peer = script.join('all', { unchokes: false });
    peer.says((remote) => {
      remote.onSuggest(41);
      remote.onSuggest(64);
      remote.onUnchoke();
    });
    expect(names(peer)[0]).toBe('41:0');
  });

  it.each([
    ['rejects them', true],
    ['rejects what it has allowed, and chokes', false],
  ])('are not sent again and again to one that %s', (_how, unchokes) => {
    const script = leech(16);
    const peer = script.join('all', { unchokes });
    for (let piece = 0; piece < 16 && !unchokes; piece++)
      peer.says((remote) => remote.onAllowedFast(piece));
    expect(peer.asked.length).toBeGreaterThan(0);
    let total = 0;
    for (let i = 0; i < 60; i++) {
      for (const { piece, begin, length } of peer.asked.splice(0)) {
        total++;
        peer.says((remote) => remote.onReject(piece, begin, length));
      }
      script.pass(100);
    }
    expect(total).toBeLessThan(60);
    // Another peer gets them at once.
    expect(script.join('all').asked.length).toBeGreaterThan(4);
  });

  it('leave room in the pool: what is started is finished first', () => {
    const script = leech(8);
    script.buffers = 1;
    const peer = script.join('all');
    expect(new Set(peer.asked.map(({ piece }) => piece)).size).toBe(1);
    finish(script, peer);
    expect(script.swarm.have.complete).toBe(true);
  });

  it('stop for a piece that the peer has lost (BEP 54)', () => {
    const script = leech(1);
    const peer = script.join('all', { fast: false });
    peer.says((remote) => remote.onDontHave(0));
    peer.asked = [];
    expect(peer.heard('notInterested')).toEqual(['notInterested']);
    expect(script.join('all').asked).toHaveLength(BLOCKS);
  });

  it('keep to what a peer says of its queue later, and ask no more until it has answered', () => {
    const script = leech(8);
    const peer = script.join('all');
    const before = peer.asked.length;
    expect(before).toBeGreaterThan(3);
    peer.says((remote) => remote.extended({ reqq: 3 }));
    while (peer.asked.length > 3) {
      const { length } = peer.asked;
      peer.answers(1);
      script.check();
      expect(peer.asked).toHaveLength(length - 1);
    }
    for (let i = 0; i < 60; i++) {
      peer.answers(1);
      script.check();
      expect(peer.asked.length).toBeLessThanOrEqual(3);
    }
    expect(script.swarm.have.complete).toBe(true);
  });

  it('stop when paused and go on afterwards', () => {
    const script = leech(2);
    const peer = script.join('all');
    peer.answers(1);
    script.swarm.setDownloading(false);
    script.swarm.settle();
    expect(peer.asked).toEqual([]);
    script.swarm.setDownloading(true);
    script.swarm.settle();
    expect(peer.asked).toHaveLength(2 * BLOCKS - 1);
  });
});

describe('order', () => {
  it('is rarest first after the first random pieces', () => {
    const script = leech(8, { settings: { randomFirstPieces: 0 } });
    script.join([0, 1, 2, 3, 4, 5, 6], { unchokes: false });
    script.join([0, 1, 2, 3, 4, 5, 7], { unchokes: false });
    const peer = script.join([0, 1, 2, 3, 4, 5, 6]);
    expect(names(peer)[0]).toBe('6:0');
  });

  it('is by index when sequential', () => {
    const script = leech(8, { settings: { sequential: true } });
    const peer = script.join('all');
    expect(names(peer).slice(0, 5)).toEqual([
      '0:0',
      '0:1',
      '0:2',
      '0:3',
      '1:0',
    ]);
  });

  it('is by priority before anything else', () => {
    const priority = new Uint8Array(8).fill(1);
    priority[5] = 7;
    const script = leech(8, { priority });
    expect(names(script.join('all'))[0]).toBe('5:0');
  });

  it.each([
    ['a third of a second of its rate', undefined, 40, 110],
    ['as many seconds as it shall have', 1, 160, 210],
  ])('is ahead of a steady peer by %s', (_, aheadSeconds, least, most) => {
    const script = leech(5_000, { settings: { randomFirstPieces: 0 } });
    const peer = script.join('all', aheadSeconds ? { aheadSeconds } : {});
    const windows: number[] = [];
    // 200 blocks a second.
    for (let round = 0; round < 2_000; round++) {
      script.pass(10);
      peer.answers(2);
      script.check();
      if (round >= 500) windows.push(peer.peer.ahead);
    }
    const [median] = windows.sort((a, b) => a - b).slice(windows.length / 2);
    expect(median).toBeGreaterThanOrEqual(least);
    expect(median).toBeLessThanOrEqual(most);
  });

  it('gives a peer that is asked for several pieces at a time neighbours, stretch by stretch', () => {
    const script = leech(64, { settings: { randomFirstPieces: 0 } });
    const peer = script.join('all');
    const pieces: number[] = [];
    for (let round = 0; round < 1_000 && peer.asked.length > 0; round++) {
      const [[piece]] = peer.askedBlocks;
      if (pieces.at(-1) !== piece) pieces.push(piece);
      peer.answers(1);
      script.check();
    }
    expect(script.swarm.have.complete).toBe(true);
    const neighbours = pieces.filter((p, i) => p === pieces[i - 1] + 1);
    expect(neighbours.length).toBeGreaterThan(32);
    expect(pieces).not.toEqual([...pieces].sort((a, b) => a - b));
  });

  it('leaves a stretch in the middle for what has become more wanted', () => {
    const script = leech(64, { settings: { randomFirstPieces: 0 } });
    const peer = script.join('all');
    let newest = peer.askedBlocks.at(-1)?.[0] ?? -1;
    // Until a stretch of several pieces has just begun.
    for (let run = 0; run < 2;) {
      peer.answers(1);
      script.check();
      const piece = peer.askedBlocks.at(-1)?.[0] ?? -1;
      if (piece !== newest) run = piece === newest + 1 ? run + 1 : 0;
      newest = piece;
    }
    const lacking = [...Array(64).keys()].filter(
      (piece) =>
        !script.swarm.have.has(piece) &&
        !script.reserved.has(piece) &&
        Math.abs(piece - newest) > 1,
    );
    const wanted = lacking[0];
    script.swarm.setPriority(wanted, 1, 7);
    const known = new Set(peer.askedBlocks.map(([piece]) => piece));
    for (let left = 64; left > 0; left--) {
      peer.answers(1);
      script.check();
      const begun = peer.askedBlocks.find(([piece]) => !known.has(piece));
      if (begun) return expect(begun[0]).toBe(wanted);
    }
    throw new Error('nothing new was asked for');
  });

  it('leaves a stretch for what is rarer or more wanted', () => {
    const script = leech(64, {
      settings: { randomFirstPieces: 0 },
      priority: Uint8Array.from({ length: 64 }, (_, p) => (p === 35 ? 7 : 4)),
    });
    const others = [...Array(64).keys()].filter((piece) => piece % 8 !== 3);
    script.join(others, { unchokes: false });
    const seed = script.join('all');
    const [first, ...rest] = new Set(seed.askedBlocks.map(([piece]) => piece));
    expect(first).toBe(35);
    expect(rest.every((piece) => piece % 8 === 3)).toBe(true);
  });

  it('puts pieces with a deadline first, the earliest before the others', () => {
    const script = leech(64, { settings: { sequential: true } });
    script.swarm.need(50, 1, 2_000);
    script.swarm.need(40, 1, 1_500);
    const order = [...new Set(script.join('all').asked.map((b) => b.piece))];
    expect(order.slice(0, 2)).toEqual([40, 50]);
  });

  it('takes the piece that is nearest to its end before a new one', () => {
    const script = leech(2, { settings: { randomFirstPieces: 0 } });
    const slow = script.join('all', { unchokes: false });
    slow.says((remote) => {
      remote.extended({ reqq: 1 });
      remote.onUnchoke();
    });
    const [[piece]] = slow.askedBlocks;
    const other = script.join('all');
    expect(other.askedBlocks.slice(0, 3).map(([p]) => p)).toEqual([
      piece,
      piece,
      piece,
    ]);
  });

  it('drops a piece that is deselected, its buffer and its requests', () => {
    const script = leech(1);
    const peer = script.join('all');
    peer.answers(1);
    script.swarm.setPriority(0, 1, 0);
    script.swarm.settle();
    expect(script.discarded).toEqual([0]);
    expect(peer.asked).toEqual([]);
    expect(script.finishes).toBe(1);
  });

  it('waits for the end of a block that is coming in before a buffer is given up', () => {
    const script = leech(2, { settings: { sequential: true } });
    const peer = script.join('all');
    const { piece, begin, length } = peer.asked[0];
    peer.peer.blockTarget(piece, begin, length);
    script.swarm.setPriority(0, 1, 0);
    expect(script.discarded).toEqual([]);
    peer.says((remote) => remote.onBlock());
    expect(script.discarded).toEqual([0]);
    expect(script.disconnects).toEqual([]);
  });
});

describe('blocks', () => {
  it('that nobody asked for, of another length or twice are not taken', () => {
    const script = leech(2);
    const peer = script.join([0]);
    expect(peer.sends(1, 0)).toBe(false);
    expect(peer.sends(0, 1)).toBe(false);
    expect(peer.sends(0, 0, 100)).toBe(false);
    expect(peer.sends(7, 0)).toBe(false);
    expect(peer.sends(0, 0)).toBe(true);
    expect(peer.sends(0, 0)).toBe(false);
    expect(peer.peer.down.total).toBe(BLOCK_LENGTH);
  });

  it('longer than what was asked are not taken, and what was asked still is', () => {
    const short = new ScriptedSwarm(() => BLOCK_LENGTH + 5, { pieceCount: 1 });
    const peer = short.join('all');
    const { asked } = peer;
    expect(peer.sends(0, BLOCK_LENGTH, 6)).toBe(false);
    expect(peer.sends(0, BLOCK_LENGTH, 4)).toBe(false);
    expect(peer.sends(0, BLOCK_LENGTH, BLOCK_LENGTH)).toBe(false);
    expect(short.verifying).toEqual([]);
    peer.asked = asked;
    expect(peer.answers(2)).toEqual([true, true]);
    short.check();
    expect(short.swarm.have.complete).toBe(true);
  });

  it('in numbers that nobody asked for end the connection', () => {
    const script = leech(2);
    const peer = script.join([0]);
    for (let i = 0; i < 100; i++) peer.sends(1, 0);
    expect(script.disconnects).toMatchObject([{ reason: 'unasked-blocks' }]);
  });

  it('make a piece that is announced to those that lack it', () => {
    const script = leech(1);
    const other = script.join([]);
    const peer = script.join('all');
    finish(script, peer);
    expect(other.heard('have')).toEqual(['have 0']);
    expect(script.finishes).toBe(1);
  });

  it('of a stalled peer are asked of another within the time-out', () => {
    const script = leech(1);
    const stalled = script.join('all');
    expect(stalled.asked).toHaveLength(BLOCKS);
    script.pass(8_100);
    const other = script.join('all');
    expect(other.asked).toHaveLength(BLOCKS);
    finish(script, other);
    expect(stalled.heard('cancel')).toHaveLength(BLOCKS);
    expect(script.swarm.have.complete).toBe(true);
  });

  it('that do not come for two seconds are asked after with a keep-alive, once for each silence', () => {
    const script = leech(1);
    const peer = script.join('all');
    script.pass(1_900);
    expect(peer.heard('keepAlive')).toHaveLength(0);
    script.pass(2_000);
    expect(peer.heard('keepAlive')).toHaveLength(1);
    script.pass(3_000);
    expect(peer.heard('keepAlive')).toHaveLength(0);
    peer.answers(1);
    script.pass(4_000);
    expect(peer.heard('keepAlive')).toHaveLength(1);
  });

  it('that do not come for a minute make a snubbing peer of an unchoked one', () => {
    const script = leech(1);
    const peer = script.join('all');
    script.pass(55_000);
    expect(peer.peer.snubbing).toBe(false);
    script.pass(10_000);
    expect(peer.peer.snubbing).toBe(true);
    peer.answers(1);
    expect(peer.peer.snubbing).toBe(false);
  });

  it('are asked of both in the end game and cancelled with the loser', () => {
    const script = leech(1);
    const slow = script.join('all');
    script.pass(900);
    const fast = script.join('all');
    script.pass(1_000);
    expect(fast.asked).toHaveLength(BLOCKS);
    finish(script, fast);
    expect(slow.heard('cancel')).toHaveLength(BLOCKS);
  });

  it('that come late after all are still taken when they are needed', () => {
    const script = leech(1);
    const peer = script.join('all');
    script.pass(31_000);
    expect(peer.answers(BLOCKS)).toEqual([true, true, true, true]);
  });

  it('held up half-way are taken from another, the holder is let go', () => {
    const script = leech(1);
    const holder = script.join('all');
    const { piece, begin, length } = holder.asked[0];
    holder.says((remote) => remote.blockTarget(piece, begin, length));
    script.pass(8_100);
    const other = script.join('all');
    finish(script, other);
    expect(script.verifying).toEqual([]);
    script.pass(4_000);
    script.check();
    expect(script.swarm.have.complete).toBe(true);
    expect(script.disconnects.map(({ peer }) => peer)).toEqual([
      holder.peer,
      other.peer,
    ]);
    expect(script.disconnects.map(({ ban }) => ban)).toEqual([false, false]);
  });
});

describe('verified pieces', () => {
  it('are told and served while the rest is still coming, and others are not', () => {
    const script = leech(2);
    const other = script.join([]).says((remote) => remote.onInterested());
    const peer = script.join([0]);
    peer.answers(BLOCKS - 1);
    expect(script.verifying).toEqual([]);
    other.says((remote) => remote.onRequest(0, 0, 100));
    expect(other.heard('reject')).toEqual(['reject 0 0 100']);
    peer.answers(1);
    expect(other.heard('have')).toEqual([]);
    script.check();
    expect(script.swarm.have.complete).toBe(false);
    expect(other.heard('have')).toEqual(['have 0']);
    other.says((remote) => {
      remote.onRequest(0, 7, 100);
      remote.onRequest(1, 0, 100);
    });
    expect(script.serves).toEqual([`${other.peer.id} 0 7 100 100`]);
    expect(other.heard('reject')).toEqual(['reject 1 0 100']);
  });
});

/** The honest one sends what it is asked for within a minute, and the liar alone is banned. */
function completeBy(
  script: ScriptedSwarm,
  honest: ScriptedPeer,
  liar: ScriptedPeer,
): void {
  for (let i = 0; i < 60 && !script.swarm.have.complete; i++) {
    honest.answers(8);
    script.check();
    script.pass(1_000);
  }
  expect(script.swarm.have.complete).toBe(true);
  const banned = script.disconnects.filter(({ ban }) => ban);
  expect(banned.map(({ peer }) => peer)).toEqual([liar.peer]);
}

describe('corrupt pieces', () => {
  it('cost their only sender its connection and its address', () => {
    const script = leech(1);
    const liar = script.join('all');
    liar.answers(BLOCKS, true);
    script.check();
    expect(script.disconnects).toEqual([
      { peer: liar.peer, reason: 'corrupt', ban: true },
    ]);
    expect(script.discarded).toEqual([0]);
    const honest = script.join('all');
    finish(script, honest);
    expect(script.swarm.have.complete).toBe(true);
    expect(honest.heard('have')).toEqual([]);
  });

  it('are found out of one who left before they were hashed', () => {
    const script = leech(1);
    const liar = script.join('all');
    liar.answers(BLOCKS, true);
    script.swarm.removePeer(liar.peer);
    script.check();
    expect(script.disconnects).toEqual([
      { peer: liar.peer, reason: 'corrupt', ban: true },
    ]);
    const honest = script.join('all');
    finish(script, honest);
    expect(script.swarm.have.complete).toBe(true);
    expect(script.disconnects.filter(({ ban }) => ban)).toHaveLength(1);
  });

  it('name the one of two senders that left after its part', () => {
    const script = leech(1);
    const [liar, honest] = [0, 1].map(() =>
      script.join('all', { unchokes: false }),
    );
    liar.says((remote) => {
      remote.extended({ reqq: 2 });
      remote.onUnchoke();
    });
    liar.answers(2, true);
    script.swarm.removePeer(liar.peer);
    honest.says((remote) => remote.onUnchoke());
    completeBy(script, honest, liar);
  });

  it.each([true, false])(
    'of two senders only the liar is banned (liar first: %s)',
    (first) => {
      const script = leech(1);
      const one = script.join('all', { unchokes: false });
      const two = script.join('all', { unchokes: false });
      for (const peer of [one, two])
        peer.says((remote) => {
          remote.extended({ reqq: 2 });
          remote.onUnchoke();
        });
      const liar = first ? one : two;
      one.answers(2, liar === one);
      two.answers(2, liar === two);
      one.answers(2, liar === one);
      two.answers(2, liar === two);
      script.check();
      for (let i = 0; i < 40 && !script.swarm.have.complete; i++) {
        for (const peer of [one, two]) peer.answers(4, peer === liar);
        script.check();
        script.pass(1_000);
      }
      expect(script.swarm.have.complete).toBe(true);
      const banned = script.disconnects.filter(({ ban }) => ban);
      expect(banned.map(({ peer }) => peer)).toEqual([liar.peer]);
    },
  );
});

describe('a corrupt piece of which one source has fallen silent', () => {
  it.each([true, false])(
    'is had of the other within two time-outs (silent one first: %s)',
    (first) => {
      const script = leech(1);
      const peers = [0, 1].map(() => script.join('all', { unchokes: false }));
      const [liar, honest] = first ? peers : [...peers].reverse();
      liar.says((remote) => {
        remote.extended({ reqq: 2 });
        remote.onUnchoke();
      });
      liar.answers(1, true);
      honest.says((remote) => remote.onUnchoke());
      completeBy(script, honest, liar);
    },
  );
});

describe('protocol', () => {
  it.each([
    ['have', (peer: ScriptedPeer) => peer.peer.onHave(2)],
    ['dont-have', (peer: ScriptedPeer) => peer.peer.onDontHave(9)],
    ['bitfield', (peer: ScriptedPeer) => peer.peer.onBitfield(new Bitfield(3))],
  ])('%s out of range ends the connection', (_name, say) => {
    const script = leech(2);
    const peer = script.join([]);
    peer.says(() => say(peer));
    expect(script.disconnects).toMatchObject([
      { reason: 'protocol', ban: false },
    ]);
  });

  it('suggest and allowed-fast out of range are ignored', () => {
    const script = leech(2);
    const peer = script.join('all');
    peer.says((remote) => {
      remote.onSuggest(2 ** 32 - 1);
      remote.onAllowedFast(2);
    });
    expect(script.disconnects).toEqual([]);
  });

  const pieces = 2_000;

  it('bitfields of one who gets on are taken, however many', () => {
    const script = leech(pieces);
    const have = new Bitfield(pieces);
    const peer = script.join([], { unchokes: false });
    for (let piece = 0; piece < pieces; piece++) {
      have.add(piece);
      if (piece % 20 < 19) continue;
      peer.says((remote) => remote.onBitfield(have.clone()));
      const counts = [...script.swarm.availability()];
      expect(counts.every((n, i) => n === Number(i <= piece))).toBe(true);
    }
    expect(script.disconnects).toEqual([]);
  });

  it.each<[string, (peer: ScriptedPeer, turn: number) => void]>([
    [
      'all and nothing in turn',
      ({ peer }, turn) =>
        peer.onBitfield(
          turn % 2 ? new Bitfield(pieces) : Bitfield.full(pieces),
        ),
    ],
    [
      'all again and again of one who has lost some',
      ({ peer }) => {
        for (let piece = 0; piece < 40; piece++) peer.onDontHave(piece);
        peer.onBitfield(Bitfield.full(pieces));
      },
    ],
    [
      'more each time, and others',
      ({ peer }, turn) => {
        const have = new Bitfield(pieces);
        const start = (turn % 2) * 1_000;
        for (let i = 0; i < 20 * turn; i++) have.add(start + i);
        peer.onBitfield(have);
      },
    ],
  ])('bitfields without end cost the connection: %s', (_how, tell) => {
    const script = leech(pieces);
    const peer = script.join([], { unchokes: false });
    let turn = 0;
    for (; turn < 45 && script.disconnects.length === 0; turn++)
      peer.says(() => tell(peer, turn));
    expect(script.disconnects).toMatchObject([
      { peer: peer.peer, reason: 'flood', ban: false },
    ]);
    expect([...script.swarm.availability()].every((n) => n === 0)).toBe(true);
  });

  it('several bitfields leave the right counts', () => {
    const script = leech(4);
    const peer = script.join([0, 1]);
    peer.says((remote) => remote.onBitfield(Bitfield.full(4)));
    peer.says((remote) => remote.onDontHave(3));
    expect([...script.swarm.availability()]).toEqual([1, 1, 1, 0]);
    peer.says((remote) => remote.onBitfield(new Bitfield(4)));
    expect([...script.swarm.availability()]).toEqual([0, 0, 0, 0]);
    script.swarm.removePeer(peer.peer);
    expect([...script.swarm.availability()]).toEqual([0, 0, 0, 0]);
    expect(script.swarm.wakeAt).toBe(Infinity);
  });
});
