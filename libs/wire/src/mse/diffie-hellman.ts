/**
 * The Diffie-Hellman exchange of message-stream encryption: a fixed prime of
 * 768 bits, generator 2, private keys of 160 bits. With native big integers,
 * since OpenSSL would test the prime anew for 30 ms at each start.
 */
export const PUBLIC_KEY_LENGTH = 96;
export const PRIVATE_KEY_LENGTH = 20;

const PRIME = BigInt(
  '0xffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74' +
    '020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437' +
    '4fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090563',
);

/** The public key (96 bytes) of a private one (20 bytes). */
export function publicKey(privateKey: Uint8Array): Uint8Array {
  return toBytes(power(2n, toInteger(privateKey)));
}

/** The shared secret, 96 bytes; undefined for the remote keys 0, 1, P − 1 and beyond, with which there would be no secret. */
export function sharedSecret(
  privateKey: Uint8Array,
  remoteKey: Uint8Array,
): Uint8Array | undefined {
  const remote = toInteger(remoteKey);
  if (remote < 2n || remote > PRIME - 2n) return undefined;
  return toBytes(power(remote, toInteger(privateKey)));
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % PRIME;
    if (bit === '1') result = (result * base) % PRIME;
  }
  return result;
}

function toInteger(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

function toBytes(value: bigint): Uint8Array {
  const hex = value.toString(16).padStart(PUBLIC_KEY_LENGTH * 2, '0');
  return new Uint8Array(Buffer.from(hex, 'hex'));
}
