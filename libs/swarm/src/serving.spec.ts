import { Bitfield } from '@dnd/metainfo';
import { BLOCK_LENGTH } from './partial-piece';
import { ScriptedSwarm } from './testing/scripted-swarm';
import type { ScriptedPeer } from './testing/scripted-swarm';
import type { SwarmOptions } from './swarm';
import { TokenBucket } from './token-bucket';

const PIECE = 64 * BLOCK_LENGTH;

function seeding(pieceCount: number, options: Partial<SwarmOptions> = {}) {
  return new ScriptedSwarm(() => PIECE, {
    pieceCount,
    have: Bitfield.full(pieceCount),
    ...options,
  });
}

function asks(
  peer: ScriptedPeer,
  piece: number,
  begin: number,
  length = BLOCK_LENGTH,
): void {
  peer.says((remote) => remote.onRequest(piece, begin, length));
}

function interested(script: ScriptedSwarm, options = {}): ScriptedPeer {
  return script.join([], options).says((remote) => remote.onInterested());
}

describe('requests of a peer', () => {
  it('are served when it is interested: it is unchoked at once while slots are free', () => {
    const script = seeding(2);
    const peer = interested(script);
    expect(peer.heard()).toEqual(['bitfield 2', 'unchoke']);
    asks(peer, 1, 7, 100);
    expect(script.serves).toEqual([`${peer.peer.id} 1 7 100 100`]);
  });

  it('that follow on each other are served by one read', () => {
    const script = seeding(1);
    const peer = interested(script);
    peer.says((remote) => {
      for (let i = 0; i < 20; i++)
        remote.onRequest(0, i * BLOCK_LENGTH, BLOCK_LENGTH);
    });
    expect(script.serves).toEqual([
      `${peer.peer.id} 0 0 ${16 * BLOCK_LENGTH} ${BLOCK_LENGTH}`,
      `${peer.peer.id} 0 ${16 * BLOCK_LENGTH} ${4 * BLOCK_LENGTH} ${BLOCK_LENGTH}`,
    ]);
  });

  it.each([
    ['index = n', 2, 0, BLOCK_LENGTH],
    ['sign bit', 2 ** 31, 0, BLOCK_LENGTH],
    ['begin at the end', 0, PIECE, 1],
    ['across the end', 0, PIECE - 1, 2],
    ['overflow', 0, 2 ** 32 - 1, 2],
    ['length 0', 0, 0, 0],
    ['32 KiB', 0, 0, 32_768],
  ])(
    '%s: rejected with the fast extension, closed without',
    (_name, piece, begin, length) => {
      const script = seeding(2);
      const fast = interested(script);
      asks(fast, piece, begin, length);
      expect(fast.heard('reject')).toEqual([
        `reject ${piece} ${begin} ${length}`,
      ]);
      const plain = interested(script, { fast: false });
      asks(plain, piece, begin, length);
      expect(script.disconnects).toMatchObject([
        { peer: plain.peer, reason: 'protocol' },
      ]);
      expect(script.serves).toEqual([]);
    },
  );

  it('over 128 KiB end the connection in any case', () => {
    const script = seeding(2);
    const peer = interested(script);
    asks(peer, 0, 0, 131_073);
    expect(script.disconnects).toMatchObject([{ reason: 'protocol' }]);
  });

  it('while choked are rejected, or dropped in silence without the fast extension', () => {
    const script = seeding(2);
    const fast = script.join([]);
    const plain = script.join([], { fast: false });
    for (let i = 0; i < 2_000; i++) {
      asks(fast, 0, 0);
      asks(plain, 0, 0);
    }
    expect(fast.heard('reject')).toHaveLength(2_000);
    expect(plain.heard()).toEqual(['bitfield 2']);
    expect(fast.peer.queue.length + plain.peer.queue.length).toBe(0);
    expect(script.disconnects).toEqual([]);
  });

  it('that are refused without end cost the connection', () => {
    const script = seeding(2);
    const stubborn = script.join([]);
    const polite = script.join([]);
    for (let i = 0; i < 30_000 && script.disconnects.length === 0; i++)
      asks(stubborn, 0, 0);
    expect(script.disconnects).toMatchObject([
      { peer: stubborn.peer, reason: 'flood', ban: false },
    ]);
    polite.says((remote) => remote.onInterested());
    asks(polite, 0, 0);
    expect(script.serves).toHaveLength(1);
  });

  it('of granted pieces are served while choked', () => {
    const script = seeding(4, { settings: { uploadSlots: 0 } });
    const peer = interested(script, { allowedFast: [3] });
    expect(peer.heard('allowedFast')).toEqual(['allowedFast 3']);
    asks(peer, 3, 0);
    asks(peer, 2, 0);
    expect(script.serves).toHaveLength(1);
    expect(peer.heard('reject')).toEqual([`reject 2 0 ${BLOCK_LENGTH}`]);
  });

  it('of pieces that we lack are refused', () => {
    const have = new Bitfield(2);
    have.add(0);
    const script = seeding(2, { have });
    const peer = interested(script);
    asks(peer, 1, 0);
    expect(peer.heard('reject')).toHaveLength(1);
    expect(script.serves).toEqual([]);
  });

  it('are each answered once, by a piece or a reject, through cancel and choke', () => {
    const script = seeding(4);
    script.drains = false;
    const peer = interested(script);
    peer.says((remote) => {
      for (let i = 0; i < 200; i++)
        remote.onRequest(i >> 6, (i & 63) * BLOCK_LENGTH, BLOCK_LENGTH);
    });
    const queued = peer.peer.queue.length;
    expect(queued).toBeGreaterThan(100);
    peer.says((remote) => {
      for (let i = 199; i > 180; i--)
        remote.onCancel(i >> 6, (i & 63) * BLOCK_LENGTH, BLOCK_LENGTH);
      remote.onCancel(0, 0, BLOCK_LENGTH);
      remote.onCancel(3, 5, 5);
    });
    expect(peer.heard('reject')).toHaveLength(19);
    script.swarm.setUploading(false);
    expect(peer.heard('reject')).toHaveLength(queued - 19);
    const served = script.serves.reduce(
      (sum, line) => sum + Number(line.split(' ')[3]),
      0,
    );
    expect(served / BLOCK_LENGTH + queued).toBe(200);
  });

  it('of a peer that does not read are held back, and served when it does', () => {
    const script = seeding(64);
    script.drains = false;
    const peer = interested(script);
    peer.says((remote) => {
      for (let i = 0; i < 1_900; i++)
        remote.onRequest(i >> 6, (i & 63) * BLOCK_LENGTH, BLOCK_LENGTH);
    });
    const handed = () =>
      script.serves.reduce((sum, line) => sum + Number(line.split(' ')[3]), 0);
    expect(handed()).toBeLessThan(1024 * 1024);
    expect(peer.peer.queue.length).toBeGreaterThan(1_800);
    for (let i = 0; i < 1_000 && peer.peer.handed > 0; i++)
      peer.says((remote) => remote.served(remote.handed));
    expect(handed()).toBe(1_900 * BLOCK_LENGTH);
  });

  it('beyond the queue bound are refused', () => {
    const script = seeding(64, { settings: { reqq: 50 } });
    script.drains = false;
    const peer = interested(script);
    peer.says((remote) => {
      for (let i = 0; i < 60; i++)
        remote.onRequest(0, i * BLOCK_LENGTH, BLOCK_LENGTH);
    });
    expect(peer.heard('reject')).toHaveLength(10);
  });

  it('whose bytes cannot be read are rejected', () => {
    const script = seeding(2);
    script.drains = false;
    const peer = interested(script);
    asks(peer, 0, 0);
    peer.says((remote) => remote.unserved(0, 0, BLOCK_LENGTH, BLOCK_LENGTH));
    expect(peer.heard('reject')).toHaveLength(1);
    expect(peer.peer.handed).toBe(0);
  });

  it('300 changes of interest are harmless', () => {
    const script = seeding(2);
    const peer = interested(script);
    for (let i = 0; i < 300; i++)
      peer.says((remote) => {
        remote.onNotInterested();
        remote.onInterested();
      });
    expect(peer.heard('choke')).toEqual([]);
    expect(peer.peer.amChoking).toBe(false);
  });
});

describe('limits', () => {
  it('hold the upload to the rate, shared alike', () => {
    const rate = 10 * BLOCK_LENGTH * 10;
    const script = seeding(64, {
      uploadLimits: [new TokenBucket(rate, 1_000)],
      settings: { spread: false },
    });
    const peers = [interested(script), interested(script)];
    for (const peer of peers)
      peer.says((remote) => {
        for (let i = 0; i < 1_000; i++)
          remote.onRequest(i >> 6, (i & 63) * BLOCK_LENGTH, BLOCK_LENGTH);
      });
    script.pass(5_000);
    const [one, two] = peers.map((peer) => peer.peer.up.total);
    expect((one + two) / (rate * 5)).toBeGreaterThan(0.98);
    expect((one + two) / (rate * 5)).toBeLessThan(1.05);
    expect(one / two).toBeGreaterThan(0.9);
    expect(one / two).toBeLessThan(1.1);
  });

  it('do not hold peers that are exempt', () => {
    const script = seeding(64, { uploadLimits: [new TokenBucket(1, 1_000)] });
    const held = interested(script);
    const exempt = interested(script, { unlimited: true });
    for (const peer of [held, exempt])
      peer.says((remote) => {
        for (let i = 0; i < 64; i++)
          remote.onRequest(0, i * BLOCK_LENGTH, BLOCK_LENGTH);
      });
    expect(exempt.peer.up.total).toBe(PIECE);
    expect(held.peer.up.total).toBeLessThan(5 * BLOCK_LENGTH);
  });

  it('hold the download by asking for less', () => {
    const rate = 10 * BLOCK_LENGTH;
    const script = new ScriptedSwarm(() => PIECE, {
      pieceCount: 16,
      downloadLimits: [new TokenBucket(rate, 1_000)],
    });
    const peer = script.join('all');
    for (let i = 0; i < 100; i++) {
      peer.answers(peer.asked.length);
      script.check();
      script.pass(100);
    }
    expect(peer.peer.down.total / (rate * 10)).toBeGreaterThan(0.9);
    expect(peer.peer.down.total / (rate * 10)).toBeLessThan(1.1);
  });
});

describe('choking', () => {
  it('leaves no more unchoked than there are slots, and changes no more than once in ten seconds', () => {
    const script = seeding(4, { settings: { uploadSlots: 4, spread: false } });
    const peers = Array.from({ length: 10 }, () => interested(script));
    const unchoked = () => peers.filter(({ peer }) => !peer.amChoking).length;
    expect(unchoked()).toBe(4);
    script.pass(2_000);
    for (const peer of peers) peer.heard();
    script.pass(9_000);
    expect(peers.flatMap((peer) => peer.heard('choke'))).toEqual([]);
    script.pass(120_000);
    expect(unchoked()).toBe(4);
    // Everybody has had a turn.
    expect(peers.every(({ peer }) => peer.unchokedAt > 0)).toBe(true);
  });

  it('gives one who sends nothing a chance, another one every 30 seconds', () => {
    const script = new ScriptedSwarm(() => PIECE, {
      pieceCount: 64,
      settings: { uploadSlots: 2 },
    });
    const peers = Array.from({ length: 8 }, () =>
      script.join([]).says((remote) => remote.onInterested()),
    );
    const changes: number[] = [];
    let before: ScriptedPeer | undefined;
    for (let second = 0; second < 600; second++) {
      script.pass(1_000);
      const optimists = peers.filter(({ peer }) => peer.optimistic);
      expect(optimists.length).toBeLessThanOrEqual(1);
      const [optimist] = optimists;
      if (optimist && optimist !== before) changes.push(script.now);
      before = optimist ?? before;
    }
    const gaps = changes.slice(1).map((at, i) => at - changes[i]);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(30_000);
    // Chance may draw the same one again, but not without end.
    expect(changes.length).toBeGreaterThan(10);
    expect(peers.every(({ peer }) => peer.unchokedAt > 0)).toBe(true);
  });

  it('prefers those that send us most while we download', () => {
    const script = new ScriptedSwarm(() => PIECE, {
      pieceCount: 64,
      settings: { uploadSlots: 2 },
    });
    const peers = Array.from({ length: 6 }, () =>
      script.join('all').says((remote) => remote.onDontHave(63)),
    );
    for (const peer of peers) peer.says((remote) => remote.onInterested());
    const [, , , , good] = peers;
    for (let i = 0; i < 22; i++) {
      good.answers(2);
      script.check();
      script.pass(1_000);
    }
    expect(good.peer.amChoking).toBe(false);
  });

  it('gives no slot to upload-only peers', () => {
    const script = seeding(4);
    const peer = script.join([]).says((remote) => {
      remote.extended({ uploadOnly: true });
    });
    expect(peer.heard('unchoke')).toEqual([]);
    expect(script.disconnects).toMatchObject([{ reason: 'both-complete' }]);
  });
});

describe('seeding', () => {
  it('suggests different pieces to different downloaders', () => {
    const script = seeding(64);
    const peers = Array.from({ length: 4 }, () => interested(script));
    const suggested = peers.flatMap((peer) => peer.heard('suggest'));
    expect(suggested.length).toBeGreaterThanOrEqual(4);
    expect(new Set(suggested).size).toBe(suggested.length);
  });

  it('sends what nobody else has first, but lets nobody starve', () => {
    const rate = 100 * BLOCK_LENGTH;
    const script = seeding(64, {
      uploadLimits: [new TokenBucket(rate, 1_000)],
    });
    const [first, second] = [interested(script), interested(script)];
    for (const peer of [first, second])
      peer.says((remote) => {
        for (let i = 0; i < 1_000; i++)
          remote.onRequest(i >> 6, (i & 63) * BLOCK_LENGTH, BLOCK_LENGTH);
      });
    script.pass(5_000);
    const share = second.peer.up.total / (first.peer.up.total || 1);
    expect(share).toBeGreaterThan(0.1);
    expect(share).toBeLessThan(0.5);
  });

  it('with super-seeding shows one piece at a time and serves no other', () => {
    const script = seeding(16, { settings: { superSeeding: true } });
    const one = interested(script);
    const two = interested(script);
    const [first, second] = one.heard();
    expect(first).toBe('bitfield 0');
    const shown = Number(second.split(' ')[1]);
    expect(two.heard('have')).toHaveLength(1);
    asks(one, shown, 0);
    asks(one, (shown + 1) % 16, 0);
    expect(script.serves).toHaveLength(1);
    one.says((remote) => remote.onHave(shown));
    expect(one.heard('have')).toEqual([]);
    two.says((remote) => remote.onHave(shown));
    expect(one.heard('have')).toHaveLength(1);
  });

  it('begins and ends super-seeding with whoever joins afterwards', () => {
    const script = seeding(16);
    expect(interested(script).heard()[0]).toBe('bitfield 16');
    script.swarm.setSuperSeeding(true);
    const shown = interested(script);
    expect(shown.heard()[0]).toBe('bitfield 0');
    script.swarm.setSuperSeeding(false);
    const all = interested(script);
    expect(all.heard()[0]).toBe('bitfield 16');
    for (let piece = 0; piece < 16; piece++) asks(all, piece, 0);
    expect(script.serves).toHaveLength(16);
  });

  it('tells of pieces that it has lost and refuses them', () => {
    const script = seeding(4);
    const peer = interested(script);
    script.swarm.lost([2]);
    expect(peer.heard('dontHave')).toEqual(['dontHave 2']);
    asks(peer, 2, 0);
    expect(peer.heard('reject')).toHaveLength(1);
    expect(script.swarm.uploadOnly).toBe(false);
  });
});
