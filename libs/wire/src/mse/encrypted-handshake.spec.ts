import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '@nx/devkit';
import fc from 'fast-check';
import { ProtocolError } from '../protocol-error';
import { countingBytes } from '../testing/recorded-peer';
import { publicKey, sharedSecret } from './diffie-hellman';
import {
  EncryptedHandshake,
  obfuscatedHash,
  type EncryptionRole,
} from './encrypted-handshake';
import type { EncryptionPolicy } from './encryption-policy';
import { Rc4 } from './rc4';

const vectorsFile = join(workspaceRoot, '../shared/cases/vectors.json');
const recorded: Record<string, Record<string, string>> | undefined = existsSync(
  vectorsFile,
)
  ? JSON.parse(readFileSync(vectorsFile, 'utf8')).mse
  : undefined;
const withVectors = recorded === undefined ? describe.skip : describe;

const HASH = new Uint8Array(20).fill(5);
const HELLO = new Uint8Array(68).map((_, i) => i);
const hex = (text: string): Uint8Array =>
  new Uint8Array(Buffer.from(text, 'hex'));
const PRIME_END = '63a36210000000000090563';
const PRIME =
  'ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74' +
  '020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437' +
  '4fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090563';

function initiator(
  policy: EncryptionPolicy = 'preferred',
  seed = 1,
  infoHash = HASH,
): EncryptedHandshake {
  const role: EncryptionRole = {
    role: 'initiator',
    infoHash,
    initialPayload: HELLO,
  };
  return new EncryptedHandshake(role, policy, countingBytes(seed));
}

function responder(
  policy: EncryptionPolicy = 'preferred',
  seed = 2,
): EncryptedHandshake {
  const known = Buffer.from(obfuscatedHash(HASH));
  const role: EncryptionRole = {
    role: 'responder',
    byObfuscatedHash: (hash) => (known.equals(hash) ? HASH : undefined),
  };
  return new EncryptedHandshake(role, policy, countingBytes(seed));
}

function meet(
  a: EncryptedHandshake,
  b: EncryptedHandshake,
  step = 1_000_000,
): void {
  for (let round = 0; round < 6; round++) {
    feed(b, Buffer.concat(a.takeOutput()), step);
    feed(a, Buffer.concat(b.takeOutput()), step);
  }
}

function feed(to: EncryptedHandshake, bytes: Uint8Array, step: number): void {
  for (let at = 0; at < bytes.length; at += step) {
    to.receive(bytes.subarray(at, at + step));
  }
}

describe('rc4', () => {
  it.each([
    ['0102030405', 1024, '30abbcc7c20b01609f23ee2d5f6bb7df'],
    ['0102030405', 4096, 'ff25b58995996707e51fbdf08b34d875'],
    [
      '0102030405060708090a0b0c0d0e0f10',
      1024,
      'bdf0324e6083dcc6d3cedd3ca8c53c16',
    ],
    [
      '0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20',
      4096,
      'f3e4c0a2e02d1d01f7f0a74618af2b48',
    ],
  ])('gives the key stream of RFC 6229 (%s at %i)', (key, at, stream) => {
    const bytes = new Uint8Array(16);
    new Rc4(hex(key), at).apply(bytes);
    expect(bytes).toEqual(hex(stream));
  });

  it('does not depend on alignment or cutting', () => {
    const whole = new Uint8Array(1_000);
    new Rc4(HASH).apply(whole);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 7 }),
        fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 30 }),
        (offset, sizes) => {
          const room = new Uint8Array(1_008).subarray(offset, offset + 1_000);
          const cipher = new Rc4(HASH);
          let at = 0;
          for (const size of sizes) {
            const end = Math.min(at + size, 1_000);
            cipher.apply(room.subarray(at, end));
            at = end;
          }
          cipher.apply(room.subarray(at));
          expect(Buffer.from(room).equals(whole)).toBe(true);
        },
      ),
    );
  });
});

describe('the keys', () => {
  it('agree on both sides', () => {
    const a = countingBytes(3)(20);
    const b = countingBytes(4)(20);
    const secret = sharedSecret(a, publicKey(b));
    expect(secret).toHaveLength(96);
    expect(sharedSecret(b, publicKey(a))).toEqual(secret);
  });

  it('are refused where no secret could come of them', () => {
    const key = countingBytes(3)(20);
    const small = (n: string): Uint8Array => hex(n.padStart(192, '0'));
    const near = (end: string): Uint8Array =>
      hex(PRIME.slice(0, -PRIME_END.length) + end);
    expect(sharedSecret(key, small('0'))).toBeUndefined();
    expect(sharedSecret(key, small('1'))).toBeUndefined();
    expect(sharedSecret(key, near('63a36210000000000090562'))).toBeUndefined();
    expect(sharedSecret(key, hex(PRIME))).toBeUndefined();
    expect(sharedSecret(key, hex('ff'.repeat(96)))).toBeUndefined();
    expect(sharedSecret(key, small('2'))).toHaveLength(96);
    expect(sharedSecret(key, near('63a36210000000000090561'))).toHaveLength(96);
  });
});

describe('an encrypted handshake', () => {
  it.each<[EncryptionPolicy, EncryptionPolicy, string]>([
    ['preferred', 'preferred', 'rc4'],
    ['preferred', 'required', 'rc4'],
    ['required', 'accepted', 'rc4'],
    ['required', 'preferred', 'rc4'],
    ['preferred', 'accepted', 'plaintext'],
  ])('dialled %s, taken %s, ends in %s', (dials, takes, method) => {
    const a = initiator(dials);
    const b = responder(takes);
    meet(a, b);
    expect([a.result?.method, b.result?.method]).toEqual([method, method]);
    expect(b.result?.rest).toEqual(HELLO);
    expect(b.result?.infoHash).toEqual(HASH);
    const word = new Uint8Array([1, 2, 3]);
    a.result?.encrypt?.apply(word);
    b.result?.decrypt?.apply(word);
    b.result?.encrypt?.apply(word);
    a.result?.decrypt?.apply(word);
    expect(word).toEqual(new Uint8Array([1, 2, 3]));
  });

  it('works byte by byte, with any pads', () => {
    for (let seed = 1; seed < 30; seed++) {
      const a = initiator('preferred', seed);
      const b = responder('preferred', seed + 100);
      meet(a, b, seed % 3 === 0 ? 1 : 1 + seed * 7);
      expect(a.result?.method).toBe('rc4');
      expect(b.result?.rest).toEqual(HELLO);
    }
  });

  it('hands on what follows it, decrypted', () => {
    const a = initiator('required');
    const b = responder('required');
    feed(b, Buffer.concat(a.takeOutput()), 1e6);
    feed(a, Buffer.concat(b.takeOutput()), 1e6);
    const flight = Buffer.concat(a.takeOutput());
    feed(b, flight, 1e6);
    const more = new Uint8Array(1_000).fill(9);
    b.result?.encrypt?.apply(more);
    const last = Buffer.concat([...b.takeOutput(), more]);
    feed(a, last, 1e6);
    expect(a.result?.rest).toEqual(new Uint8Array(1_000).fill(9));
  });

  it('refuses a torrent that is not here', () => {
    const a = initiator('preferred', 1, new Uint8Array(20).fill(6));
    expect(() => meet(a, responder())).toThrow(
      expect.objectContaining({ code: 'unknown-torrent' }),
    );
  });

  it.each([
    ['RC4 alone', 2, 'rc4'],
    ['plaintext alone', 1, 'plaintext'],
    ['both', 3, 'rc4'],
  ])(
    'takes an offer of %s, with a payload or without',
    (_name, provide, method) => {
      for (const payload of [HELLO, new Uint8Array(0)]) {
        const b = responder();
        offerTo(b, { provide, payload });
        expect(b.result?.method).toBe(method);
        expect(b.result?.rest).toEqual(payload);
      }
    },
  );

  it('finds what is behind a pad of 512 bytes after the key, and refuses one of 513', () => {
    const b = responder();
    offerTo(b, { keyPad: 512 });
    expect(b.result?.rest).toEqual(HELLO);
    expectBroken(() => offerTo(responder(), { keyPad: 513 }));
    const a = initiator();
    answerTo(a, { keyPad: 512 });
    expect(a.result?.method).toBe('rc4');
    expectBroken(() => answerTo(initiator(), { keyPad: 513 }));
  });

  it.each([
    ['0', '0'.repeat(192)],
    ['1', '1'.padStart(192, '0')],
    ['P - 1', `${PRIME.slice(0, -1)}2`],
    ['P', PRIME],
  ])('refuses the key %s at either end, unanswered', (_name, key) => {
    const b = responder();
    expectBroken(() => b.receive(hex(key)));
    expect(b.takeOutput()).toEqual([]);
    const a = initiator();
    a.takeOutput();
    expectBroken(() => a.receive(hex(key)));
    expect(a.takeOutput()).toEqual([]);
  });

  it('refuses endless pads and random bytes', () => {
    expectBroken(() => feed(responder(), countingBytes(8)(2_000), 100));
    const a = initiator();
    a.takeOutput();
    expectBroken(() => feed(a, countingBytes(8)(2_000), 100));
  });

  it('does not answer before a whole key came, and never more than once', () => {
    const b = responder();
    b.receive(countingBytes(8)(95));
    expect(b.takeOutput()).toEqual([]);
    b.receive(new Uint8Array([1]));
    const answer = Buffer.concat(b.takeOutput());
    expect(answer.length).toBeGreaterThanOrEqual(96);
    expect(answer.length).toBeLessThanOrEqual(96 + 512);
  });

  it.each([
    ['a verification constant that is not zero', { vc: 1 }],
    ['no method', { provide: 0 }],
    ['only unknown methods', { provide: 0xfffffffc }],
    ['a pad over 512', { pad: 513 }],
  ])('refuses %s', (_name, fault) => {
    const b = responder();
    expectBroken(() => offerTo(b, fault));
  });

  it('takes a pad of 512 and an offer of both methods and unknown ones', () => {
    const b = responder();
    offerTo(b, { pad: 512, provide: 0xffffffff });
    expect(b.result?.method).toBe('rc4');
    expect(b.result?.rest).toEqual(HELLO);
  });

  it('refuses plaintext where RC4 is required', () => {
    const b = responder('required');
    expectBroken(() => offerTo(b, { provide: 1 }));
  });

  it.each([0, 3, 4])('refuses %i as the method chosen', (select) => {
    const a = initiator();
    expectBroken(() => answerTo(a, { select }));
  });

  it('refuses a choice that was not offered', () => {
    const a = initiator('required');
    expectBroken(() => answerTo(a, { select: 1 }));
  });

  it('refuses a pad over 512 in the answer', () => {
    expectBroken(() => answerTo(initiator(), { pad: 513 }));
    const a = initiator();
    answerTo(a, { pad: 512 });
    expect(a.result?.method).toBe('rc4');
  });
});

withVectors('recorded handshakes of Transmission', () => {
  const mse = recorded ?? {};

  it('is the responder of one', () => {
    const v = mse.incoming;
    const b = new EncryptedHandshake(
      {
        role: 'responder',
        byObfuscatedHash: () => hex(v.skey_info_hash),
      },
      'preferred',
      fixedKey(v.B_private_key),
    );
    b.receive(hex(v.A_Ya));
    expect(Buffer.concat(b.takeOutput()).toString('hex')).toBe(v.B_Yb);
    b.receive(hex(v.A_second_flight));
    expect(Buffer.from(b.result?.rest ?? []).toString('hex')).toBe(
      v.decrypted_handshake_hex,
    );
  });

  it('is the initiator of one', () => {
    const v = mse.outgoing;
    const a = new EncryptedHandshake(
      {
        role: 'initiator',
        infoHash: hex(v.skey_info_hash),
        initialPayload: HELLO,
      },
      'preferred',
      fixedKey(v.A_private_key),
    );
    expect(Buffer.concat(a.takeOutput()).toString('hex')).toBe(v.A_Ya);
    a.receive(hex(v.B_Yb));
    a.receive(hex(v.B_second_flight));
    expect(a.result?.method).toBe('rc4');
    expect(
      Buffer.from(a.result?.rest.subarray(0, 68) ?? []).toString('hex'),
    ).toBe(v.decrypted_handshake_hex);
  });
});

/** The key first, then nothing but zeros: no pads. */
function fixedKey(key: string): (bytes: number) => Uint8Array {
  return (length) => (length === 20 ? hex(key) : new Uint8Array(length));
}

/** A second initiator that breaks one rule. */
function offerTo(
  to: EncryptedHandshake,
  fault: {
    vc?: number;
    provide?: number;
    pad?: number;
    keyPad?: number;
    payload?: Uint8Array;
  },
): void {
  const key = countingBytes(77)(20);
  to.receive(publicKey(key));
  to.receive(new Uint8Array(fault.keyPad ?? 0));
  const theirs = Buffer.concat(to.takeOutput()).subarray(0, 96);
  const secret = sharedSecret(key, theirs) ?? new Uint8Array(0);
  const { pad = 0, payload = HELLO } = fault;
  const offer = Buffer.alloc(14 + pad + 2);
  offer[3] = fault.vc ?? 0;
  offer.writeUInt32BE(fault.provide ?? 3, 8);
  offer.writeUInt16BE(pad, 12);
  offer.writeUInt16BE(payload.length, 14 + pad);
  const sealed = new Uint8Array(Buffer.concat([offer, payload]));
  new Rc4(sha1('keyA', secret, HASH), 1_024).apply(sealed);
  const proof = sha1('req2', HASH);
  sha1('req3', secret).forEach((byte, i) => (proof[i] ^= byte));
  feed(to, Buffer.concat([sha1('req1', secret), proof, sealed]), 1e6);
}

/** A second responder that breaks one rule. */
function answerTo(
  to: EncryptedHandshake,
  fault: { select?: number; pad?: number; keyPad?: number },
): void {
  const key = countingBytes(78)(20);
  const theirs = Buffer.concat(to.takeOutput()).subarray(0, 96);
  const secret = sharedSecret(key, theirs) ?? new Uint8Array(0);
  const pad = fault.pad ?? 0;
  const answer = Buffer.alloc(14 + pad);
  answer.writeUInt32BE(fault.select ?? 2, 8);
  answer.writeUInt16BE(pad, 12);
  const sealed = new Uint8Array(answer);
  new Rc4(sha1('keyB', secret, HASH), 1_024).apply(sealed);
  const keyPad = new Uint8Array(fault.keyPad ?? 0);
  feed(to, Buffer.concat([publicKey(key), keyPad, sealed]), 1e6);
}

function sha1(label: string, ...parts: Uint8Array[]): Uint8Array {
  const bytes = Buffer.concat([Buffer.from(label), ...parts]);
  return new Uint8Array(createHash('sha1').update(bytes).digest());
}

function expectBroken(run: () => void): void {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(ProtocolError);
  expect((thrown as ProtocolError).code).toBe('encryption');
}
