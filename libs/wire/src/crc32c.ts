/** CRC-32C (Castagnoli), as BEP 40 uses it. */
const TABLE = table();

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}

function table(): Int32Array {
  const entries = new Int32Array(256);
  for (let i = 0; i < 256; i++) {
    let entry = i;
    for (let bit = 0; bit < 8; bit++) {
      entry = entry & 1 ? 0x82f63b78 ^ (entry >>> 1) : entry >>> 1;
    }
    entries[i] = entry;
  }
  return entries;
}
