/**
 * IP addresses between text and bytes, without allocation on the way in. IPv4-mapped IPv6
 * addresses become the IPv4 address that they stand for, so that one host is one peer whichever
 * kind of socket heard it. Zone indexes (`%eth0`) are cut off. Host names are no addresses.
 */

/** Bytes of an address: 4 for IPv4, 16 for IPv6. */
export type AddressLength = 4 | 16;

const groups = new Uint16Array(8);

/** Writes the address that `text` names to `into` (at least 16 bytes); its length, or 0 where `text` is no address. */
export function parseAddress(
  text: string,
  into: Uint8Array,
): AddressLength | 0 {
  if (parseV4(text, 0, text.length, into)) return 4;
  if (!parseV6(text)) return 0;
  if (isMapped()) {
    for (let i = 0; i < 4; i++)
      into[i] = groups[6 + (i >> 1)] >> (i & 1 ? 0 : 8);
    return 4;
  }
  for (let i = 0; i < 8; i++) {
    into[2 * i] = groups[i] >> 8;
    into[2 * i + 1] = groups[i];
  }
  return 16;
}

/** The customary text of the 4 or 16 bytes at `at` (RFC 5952 for IPv6). */
export function formatAddress(
  bytes: Uint8Array,
  at: number,
  length: AddressLength,
): string {
  if (length === 4)
    return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
  const words: number[] = [];
  for (let i = 0; i < 8; i++)
    words.push((bytes[at + 2 * i] << 8) | bytes[at + 2 * i + 1]);
  const gap = longestZeroRun(words);
  const hex = words.map((word) => word.toString(16));
  if (gap.length < 2) return hex.join(':');
  const head = hex.slice(0, gap.start).join(':');
  return `${head}::${hex.slice(gap.start + gap.length).join(':')}`;
}

function longestZeroRun(words: readonly number[]) {
  let best = { start: 0, length: 0 };
  for (let i = 0; i < words.length; i++) {
    let end = i;
    while (end < words.length && words[end] === 0) end++;
    if (end - i > best.length) best = { start: i, length: end - i };
    if (end > i) i = end;
  }
  return best;
}

function parseV4(
  text: string,
  from: number,
  to: number,
  into: Uint8Array,
): boolean {
  if (to - from < 7 || to - from > 15) return false;
  let part = 0;
  let value = -1;
  for (let i = from; i < to; i++) {
    const c = text.charCodeAt(i);
    if (c >= 48 && c <= 57) {
      if (value === 0) return false; // no leading zeros: some read them as octal
      value = (value < 0 ? 0 : value * 10) + c - 48;
      if (value > 255) return false;
    } else if (c === 46 && value >= 0 && part < 3) {
      into[part++] = value;
      value = -1;
    } else return false;
  }
  if (part !== 3 || value < 0) return false;
  into[3] = value;
  return true;
}

const tail = new Uint8Array(4);

/** Fills `groups`. */
function parseV6(text: string): boolean {
  const zone = text.indexOf('%');
  const end = zone < 0 ? text.length : zone;
  if (end < 2 || end > 45) return false;
  let count = 0;
  let gap = -1;
  let i = 0;
  if (text.charCodeAt(0) === 58) {
    if (text.charCodeAt(1) !== 58) return false;
    gap = 0;
    i = 2;
  }
  while (i < end) {
    const stop = groupEnd(text, i, end);
    if (stop === end && text.indexOf('.', i) >= 0) {
      if (count > 6 || !parseV4(text, i, end, tail)) return false;
      groups[count++] = (tail[0] << 8) | tail[1];
      groups[count++] = (tail[2] << 8) | tail[3];
      break;
    }
    const value = hexGroup(text, i, stop);
    if (value < 0 || count === 8) return false;
    groups[count++] = value;
    if (stop === end) break;
    i = stop + 1;
    if (i === end) return false; // one colon at the end
    if (text.charCodeAt(i) === 58) {
      if (gap >= 0) return false;
      gap = count;
      i++;
    }
  }
  return closeGap(gap, count);
}

function groupEnd(text: string, from: number, end: number): number {
  const colon = text.indexOf(':', from);
  return colon < 0 || colon > end ? end : colon;
}

function closeGap(gap: number, count: number): boolean {
  if (gap < 0) return count === 8;
  if (count > 7) return false;
  const moved = count - gap;
  for (let k = 1; k <= moved; k++) groups[8 - k] = groups[count - k];
  groups.fill(0, gap, 8 - moved);
  return true;
}

function hexGroup(text: string, from: number, to: number): number {
  if (to === from || to - from > 4) return -1;
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = hexDigit(text.charCodeAt(i));
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

function isMapped(): boolean {
  for (let i = 0; i < 5; i++) if (groups[i] !== 0) return false;
  return groups[5] === 0xffff;
}

/** The value of a hexadecimal digit given by its character code, or −1. */
export function hexDigit(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  if (c >= 97 && c <= 102) return c - 87;
  if (c >= 65 && c <= 70) return c - 55;
  return -1;
}
