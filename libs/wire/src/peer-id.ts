/**
 * Peer ids: ours, and what program others' tell (BEP 20). A name is for people
 * to read; it is whatever the remote claims and nothing is decided by it.
 */
const PREFIX = '-DD0010-';
const ALPHABET =
  '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** 20 bytes: our prefix and 12 characters made of as many random bytes. */
export function createPeerId(random: Uint8Array): Uint8Array {
  const text = Array.from(
    random.subarray(0, 12),
    (byte) => ALPHABET[byte % ALPHABET.length],
  );
  return new TextEncoder().encode(PREFIX + text.join('').padEnd(12, '0'));
}

/** "qBittorrent 4.2.5", or undefined for an id that follows no known custom. */
export function clientName(peerId: Uint8Array): string | undefined {
  const text = Buffer.from(peerId).toString('latin1');
  return azureusStyle(text) ?? mainlineStyle(text) ?? shadowStyle(text);
}

/** `-qB4250-`: two letters, four digits. */
function azureusStyle(text: string): string | undefined {
  const match = /^-([A-Za-z~]{2})([0-9A-Za-z]{3})([0-9A-Za-z-])-/.exec(text);
  if (match === null) return undefined;
  const name = AZUREUS[match[1]];
  if (name === undefined) return undefined;
  if (match[1] === 'TR') return `${name} ${transmissionVersion(match[2])}`;
  if (match[1] === 'WW' || match[1] === 'WD') {
    const pairs = [match[2].slice(0, 2), match[2][2] + match[3]];
    return `${name} ${pairs.map(Number).join('.')}`;
  }
  const digits = [...match[2], match[3]].map(digitOf);
  if (/[a-z]/.test(match[3])) digits.pop();
  while (digits.length > 2 && !(digits[digits.length - 1] > 0)) digits.pop();
  return `${name} ${digits.join('.')}`;
}

/** `300` is 3.00 and `410` is 4.1.0: Transmission changed its numbering with 4. */
function transmissionVersion(digits: string): string {
  const major = digitOf(digits[0]);
  return major < 4
    ? `${major}.${digits.slice(1)}`
    : `${major}.${digitOf(digits[1])}.${digitOf(digits[2])}`;
}

/** `M7-10-5--` or `A2-1-36-0-`: the original client and those that followed it. */
function mainlineStyle(text: string): string | undefined {
  const match = /^(M|Q|A2-)(\d{1,2})-(\d{1,2})-(\d{1,2})-/.exec(text);
  if (match === null) return undefined;
  return `${MAINLINE[match[1]]} ${match[2]}.${match[3]}.${match[4]}`;
}

/** `S58B-----`: a letter, up to five digits of base 64, dashes. */
function shadowStyle(text: string): string | undefined {
  const match = /^([A-Z])([0-9A-Za-z.-]{1,5}?)-*---/.exec(text);
  if (match === null) return undefined;
  const name = SHADOW[match[1]];
  return name && `${name} ${[...match[2]].map(digitOf).join('.')}`;
}

function digitOf(character: string): number {
  return Math.max(0, ALPHABET.indexOf(character));
}

const AZUREUS: Readonly<Record<string, string>> = {
  '7T': 'aTorrent',
  A2: 'aria2',
  AG: 'Ares',
  AZ: 'Vuze',
  BC: 'BitComet',
  BG: 'BTGetit',
  BI: 'BiglyBT',
  BT: 'BitTorrent',
  BW: 'BitWombat',
  CD: 'Enhanced CTorrent',
  DD: 'D&D BitTorrent',
  DE: 'Deluge',
  FD: 'Free Download Manager',
  FL: 'Folx',
  GT: 'anacrolix/torrent',
  HL: 'Halite',
  JT: 'JavaTorrent',
  KG: 'KGet',
  KT: 'KTorrent',
  LT: 'libtorrent',
  LW: 'LimeWire',
  MG: 'MediaGet',
  PI: 'PicoTorrent',
  QT: 'Qt example',
  RN: 'rain',
  SD: 'Thunder',
  TB: 'Torch',
  TL: 'Tribler',
  TN: 'Torrent.NET',
  TR: 'Transmission',
  TX: 'Tixati',
  UE: 'µTorrent Embedded',
  UM: 'µTorrent Mac',
  UT: 'µTorrent',
  UW: 'µTorrent Web',
  WD: 'WebTorrent Desktop',
  WW: 'WebTorrent',
  XL: 'Xunlei',
  XF: 'Xfplay',
  lt: 'rTorrent',
  qB: 'qBittorrent',
  rQ: 'rqbit',
  st: 'SharkTorrent',
};

const MAINLINE: Readonly<Record<string, string>> = {
  M: 'BitTorrent',
  Q: 'Queen Bee',
  'A2-': 'aria2',
};

const SHADOW: Readonly<Record<string, string>> = {
  A: 'ABC',
  O: 'Osprey Permaseed',
  R: 'Tribler',
  S: "Shadow's client",
  T: 'BitTornado',
  U: 'UPnP NAT BitTorrent',
};
