/**
 * How much encryption (MSE, "protocol encryption") a node wants.
 *
 * | policy | dials | takes | method where both are offered |
 * |---|---|---|---|
 * | off | plain | plain only | – |
 * | accepted | plain | both | plaintext |
 * | preferred | encrypted | both | RC4 |
 * | required | encrypted | encrypted only | RC4 only |
 *
 * With `preferred`, whoever dials tries again in plain when the encrypted
 * handshake fails; that is a new connection and its owner's business.
 */
export type EncryptionPolicy = 'off' | 'accepted' | 'preferred' | 'required';

/** The bits of crypto_provide and crypto_select. */
export const CryptoMethod = { plaintext: 1, rc4: 2 } as const;

/** The methods that a policy allows, as bits. */
export function allowedMethods(policy: EncryptionPolicy): number {
  return policy === 'required'
    ? CryptoMethod.rc4
    : CryptoMethod.plaintext | CryptoMethod.rc4;
}

/** The method to take of those offered, or 0 when none will do. */
export function chooseMethod(
  policy: EncryptionPolicy,
  offered: number,
): number {
  const both = offered & allowedMethods(policy);
  const first =
    policy === 'accepted' ? CryptoMethod.plaintext : CryptoMethod.rc4;
  if ((both & first) !== 0) return first;
  return both & (CryptoMethod.plaintext | CryptoMethod.rc4);
}
