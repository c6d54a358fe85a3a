/**
 * Every flag of the program in one table: its help, its environment variable, its default and its
 * check. `readConfig` gives a complete, checked configuration or throws ConfigError, whose message is
 * one line that says what to do.
 */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const roles = ['dht', 'tracker', 'peer', 'http'] as const;
export type Role = (typeof roles)[number];

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** A port, and whether it was asked for: then it must be had, else the next free one will do. */
export interface WantedPort {
  readonly port: number;
  readonly exact: boolean;
}

export class Config {
  /** Address that all listeners but the seams bind. */
  readonly host!: string;
  /** Address under which other nodes and clients reach this one. */
  readonly advertise!: string;
  readonly port!: WantedPort;
  readonly trackerPort!: WantedPort;
  readonly peerPort!: WantedPort;
  readonly ringPort!: WantedPort;
  readonly rpcPort!: WantedPort;
  readonly rpcHost!: string;
  /** Absolute path. */
  readonly storage!: string;
  /** Absolute paths below which files may be published where they lie. */
  readonly shares!: readonly string[];
  readonly roles!: ReadonlySet<Role>;
  readonly name!: string | undefined;
  readonly ring!: string;
  readonly secret!: string | undefined;
  readonly join!: readonly HostPort[];
  /** Group and port of discovery; undefined when it is off. */
  readonly multicast!: HostPort | undefined;
  /** IPv4 address of the network interface for multicast. */
  readonly interface!: string;
  readonly signIn!: boolean;
  readonly password!: string | undefined;
  readonly allowHosts!: readonly string[];
  /** Extensions of finding peers beyond the ring. */
  readonly lsd!: boolean;
  readonly mainlineDht!: boolean;
  /** Nodes by which the mainline DHT is joined. */
  readonly dhtBootstrap!: readonly HostPort[];
  /** Addresses or subnets of proxies whose X-Forwarded-For the tracker believes. */
  readonly trustedProxies!: readonly string[];
  /** Absolute paths of the tracker's lists; undefined serves every swarm and everybody. */
  readonly trackerAllow!: string | undefined;
  readonly trackerDeny!: string | undefined;
  readonly trackerPasskeys!: string | undefined;
  readonly logLevel!: LogLevel;
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const logLevels = ['error', 'warn', 'log', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

interface Flag {
  readonly name: string;
  /** Shown in the help; absent for a switch. */
  readonly value?: string;
  readonly multiple?: boolean;
  readonly fallback?: string;
  readonly help: string;
}

const flags: readonly Flag[] = [
  {
    name: 'host',
    value: 'ADDRESS',
    fallback: '127.0.0.1',
    help: 'address to listen on; 0.0.0.0 for the whole network (needs --secret or --open)',
  },
  {
    name: 'advertise',
    value: 'ADDRESS',
    help: 'address that others use to reach this node (default: the address listened on, or that of the first network card)',
  },
  {
    name: 'port',
    value: 'PORT',
    fallback: '8080',
    help: 'web page and REST API',
  },
  {
    name: 'tracker-port',
    value: 'PORT',
    fallback: '6969',
    help: 'tracker for BitTorrent clients, HTTP and UDP',
  },
  {
    name: 'peer-port',
    value: 'PORT',
    fallback: '6881',
    help: 'peer connections',
  },
  {
    name: 'ring-port',
    value: 'PORT',
    fallback: '7000',
    help: 'ring messages between nodes',
  },
  {
    name: 'rpc-port',
    value: 'PORT',
    fallback: '7070',
    help: 'messages between the modules of one owner',
  },
  {
    name: 'rpc-host',
    value: 'ADDRESS',
    fallback: '127.0.0.1',
    help: 'address for those; needs --secret beyond this machine',
  },
  {
    name: 'storage',
    value: 'DIR',
    fallback: './Storage',
    help: 'folder of the files published and downloaded',
  },
  {
    name: 'share',
    value: 'DIR',
    multiple: true,
    help: 'files below it may be published where they lie; may be given several times',
  },
  {
    name: 'roles',
    value: 'LIST',
    fallback: roles.join(','),
    help: 'what this process runs',
  },
  {
    name: 'name',
    value: 'NAME',
    help: 'what others see beside what this node publishes (default: the name of the machine)',
  },
  {
    name: 'ring',
    value: 'NAME',
    fallback: 'dnd',
    help: 'name of the ring; nodes of other rings are not heard',
  },
  {
    name: 'secret',
    value: 'TEXT',
    help: 'ring secret: only nodes that have it can join; messages are encrypted with it',
  },
  {
    name: 'join',
    value: 'HOST:PORT',
    multiple: true,
    help: 'a node of the ring, where there is no multicast; may be given several times',
  },
  {
    name: 'multicast',
    value: 'GROUP:PORT',
    fallback: '239.255.4.3:1234',
    help: 'where nodes find each other; "off" for not at all',
  },
  {
    name: 'interface',
    value: 'ADDRESS',
    help: 'IPv4 address of the network card for multicast (default: the address listened on)',
  },
  {
    name: 'password',
    value: 'TEXT',
    help: 'password of the web page (default beyond this machine: one is made and printed once)',
  },
  {
    name: 'sign-in',
    help: 'ask for the password on this machine too; one is made and printed once',
  },
  {
    name: 'open',
    help: 'listen beyond this machine without secret and sign-in: for a LAN party',
  },
  {
    name: 'allow-host',
    value: 'NAME',
    multiple: true,
    help: 'another name by which browsers call this node; may be given several times',
  },
  { name: 'no-lsd', help: 'no local peer discovery (BEP 14)' },
  {
    name: 'mainline-dht',
    value: 'WHEN',
    fallback: 'auto',
    help: "also find peers in the Internet's DHT (BEP 5), never for private torrents: on, off, or auto for on when the network is let in",
  },
  {
    name: 'dht-bootstrap',
    value: 'HOST:PORT',
    multiple: true,
    help: 'a node by which that DHT is joined, instead of the well-known ones; may be given several times',
  },
  {
    name: 'trusted-proxy',
    value: 'ADDRESS',
    multiple: true,
    help: 'proxy in front of the tracker whose X-Forwarded-For is believed: an address or a subnet as 10.0.0.0/8; may be given several times',
  },
  {
    name: 'tracker-allow',
    value: 'FILE',
    help: 'the tracker serves only the info-hashes of this file, 40 hex digits a line',
  },
  {
    name: 'tracker-deny',
    value: 'FILE',
    help: 'the tracker refuses the info-hashes of this file',
  },
  {
    name: 'tracker-passkeys',
    value: 'FILE',
    help: 'the tracker serves only who announces at /PASSKEY/announce with a passkey of this file, one a line',
  },
  {
    name: 'log-level',
    value: 'LEVEL',
    fallback: 'log',
    help: 'error, warn, log or debug',
  },
  { name: 'version', help: 'print the version' },
  { name: 'help', help: 'print this' },
];

/** Nodes that the DHT's first clients keep for newcomers. */
const wellKnownNodes: readonly HostPort[] = [
  { host: 'router.bittorrent.com', port: 6881 },
  { host: 'router.utorrent.com', port: 6881 },
  { host: 'dht.transmissionbt.com', port: 6881 },
  { host: 'dht.libtorrent.org', port: 25401 },
];

const variable = (flag: string): string =>
  `DND_${flag.toUpperCase().replace(/-/g, '_')}`;

export function helpText(): string {
  const left = flags.map(
    (flag) => `  --${flag.name}${flag.value ? ` ${flag.value}` : ''}`,
  );
  const width = Math.max(...left.map((text) => text.length)) + 2;
  const lines = flags.map(
    ({ help, fallback }, i) =>
      `${left[i].padEnd(width)}${help}${fallback ? ` (default: ${fallback})` : ''}`,
  );
  return [
    'A node of a BitTorrent network that needs no server.',
    '',
    'npm start -- [flags]',
    '',
    ...lines,
    '',
    'Each flag is also an environment variable: --tracker-port is DND_TRACKER_PORT; lists are separated by commas.',
    'A port that is taken means the next free one, unless it was asked for by its flag.',
  ].join('\n');
}

export type Command =
  | { readonly run: 'help' }
  | { readonly run: 'version' }
  | { readonly run: 'node'; readonly config: Config };

export function readConfig(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Command {
  const values = parse(args);
  if (values.has('help')) return { run: 'help' };
  if (values.has('version')) return { run: 'version' };
  const given = (name: string): readonly string[] => {
    const direct = values.get(name);
    if (direct) return direct;
    const text = environment[variable(name)];
    if (text === undefined || text === '') return [];
    return flags.find((flag) => flag.name === name)?.multiple
      ? text.split(',')
      : [text];
  };
  return { run: 'node', config: check(given) };
}

function parse(args: readonly string[]): Map<string, string[]> {
  const options = Object.fromEntries(
    flags.map(({ name, value, multiple }) => [
      name,
      {
        type: value ? ('string' as const) : ('boolean' as const),
        multiple: multiple ?? false,
      },
    ]),
  );
  try {
    const { values } = parseArgs({
      args: [...args],
      options,
      allowPositionals: false,
      strict: true,
    });
    return new Map(
      Object.entries(values).map(([name, value]) => [
        name,
        [value].flat().map(String),
      ]),
    );
  } catch (error) {
    throw new ConfigError(
      `${(error as Error).message.split(/\.?[\n ]*\n|\. /)[0]}; --help lists every flag`,
    );
  }
}

function check(given: (name: string) => readonly string[]): Config {
  const one = (name: string): string | undefined => given(name).at(-1);
  const text = (name: string): string =>
    one(name) ?? (flags.find((flag) => flag.name === name)?.fallback as string);
  const on = (name: string): boolean =>
    ['true', '1', 'yes', 'on'].includes(one(name) ?? '');
  const port = (name: string): WantedPort => ({
    port: portNumber(`--${name}`, text(name)),
    exact: one(name) !== undefined && text(name) !== '0',
  });
  const path = (name: string): string | undefined => {
    const value = one(name);
    return value === undefined ? undefined : resolve(value);
  };
  const host = ownAddress(text('host'));
  const secret = one('secret');
  const open = on('open');
  if (secret !== undefined && secret.length < 8)
    throw new ConfigError('--secret must have at least 8 characters');
  const beyond = !isLoopback(host);
  if (beyond && !secret && !open) {
    throw new ConfigError(
      `--host ${host} lets the network in: add --secret TEXT (the same on every node), or --open to do without`,
    );
  }
  const rpcHost = text('rpc-host');
  if (!isLoopback(rpcHost) && !secret)
    throw new ConfigError(
      `--rpc-host ${rpcHost} lets others command this node: add --secret TEXT`,
    );
  const logLevel = logLevels.find((level) => level === text('log-level'));
  if (!logLevel)
    throw new ConfigError(`--log-level must be one of ${logLevels.join(', ')}`);
  const ring = text('ring');
  if (!/^[\w.-]{1,64}$/.test(ring))
    throw new ConfigError(
      '--ring must be 1 to 64 letters, digits, ".", "_" or "-"',
    );
  const name = one('name');
  if (name !== undefined && (name.trim() === '' || name.length > 64))
    throw new ConfigError('--name must have 1 to 64 characters');
  const bootstrap = given('dht-bootstrap').map((value) =>
    hostPort('--dht-bootstrap', value),
  );
  const advertise = one('advertise') ?? reachedAt(host);
  return Object.assign(new Config(), {
    host,
    advertise,
    port: port('port'),
    trackerPort: port('tracker-port'),
    peerPort: port('peer-port'),
    ringPort: port('ring-port'),
    rpcPort: port('rpc-port'),
    rpcHost,
    storage: resolve(text('storage')),
    shares: given('share').map((path) => resolve(path)),
    roles: roleSet(text('roles')),
    name,
    ring,
    secret,
    join: given('join').map((value) => hostPort('--join', value)),
    multicast:
      text('multicast') === 'off'
        ? undefined
        : hostPort('--multicast', text('multicast')),
    interface: one('interface') ?? (isLoopback(host) ? '127.0.0.1' : advertise),
    signIn: (beyond && !open) || one('password') !== undefined || on('sign-in'),
    password: one('password'),
    allowHosts: [
      ...given('allow-host'),
      ...(one('advertise') ? [advertise] : []),
    ],
    lsd: !on('no-lsd'),
    mainlineDht: dhtWanted(text('mainline-dht'), beyond),
    dhtBootstrap: bootstrap.length > 0 ? bootstrap : wellKnownNodes,
    trustedProxies: given('trusted-proxy').map((value) =>
      subnet('--trusted-proxy', value),
    ),
    trackerAllow: path('tracker-allow'),
    trackerDeny: path('tracker-deny'),
    trackerPasskeys: path('tracker-passkeys'),
    logLevel,
  } satisfies { [K in keyof Config]: Config[K] });
}

function roleSet(list: string): ReadonlySet<Role> {
  const wanted = list.split(',').map((word) => word.trim());
  for (const word of wanted) {
    if (!(roles as readonly string[]).includes(word))
      throw new ConfigError(
        `--roles: "${word}" is none of ${roles.join(', ')}`,
      );
  }
  const set = new Set(wanted as Role[]);
  if (set.has('http') && !set.has('peer'))
    throw new ConfigError(
      '--roles: http shows the files of a peer in the same process; add peer',
    );
  return set;
}

function dhtWanted(when: string, beyond: boolean): boolean {
  if (when !== 'on' && when !== 'off' && when !== 'auto')
    throw new ConfigError(
      `--mainline-dht must be on, off or auto, not "${when}"`,
    );
  return when === 'auto' ? beyond : when === 'on';
}

function portNumber(flag: string, value: string): number {
  const port = Number(value);
  if (!/^\d+$/.test(value) || port > 65_535)
    throw new ConfigError(
      `${flag} must be a number from 0 to 65535, not "${value}"`,
    );
  return port;
}

function hostPort(flag: string, value: string): HostPort {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:]+)):(\d+)$/.exec(value);
  if (!match)
    throw new ConfigError(`${flag} must look like HOST:PORT, not "${value}"`);
  return { host: match[1] ?? match[2], port: portNumber(flag, match[3]) };
}

/** What to listen on: unlike a name, an address is the same for every kind of socket. */
function ownAddress(host: string): string {
  if (host === 'localhost') return '127.0.0.1';
  if (isIP(host) === 0)
    throw new ConfigError(
      `--host must be an IP address of this machine, or localhost, not "${host}"`,
    );
  return host;
}

/** An IP address, or one with the length of its subnet's prefix. */
function subnet(flag: string, value: string): string {
  const [address, prefix, ...rest] = value.split('/');
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  const isPrefix =
    prefix === undefined ||
    (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
  if (bits < 0 || !isPrefix || rest.length > 0)
    throw new ConfigError(
      `${flag} must be an IP address or a subnet as 10.0.0.0/8, not "${value}"`,
    );
  return value;
}

function isLoopback(host: string): boolean {
  return (
    /^127(?:\.\d{1,3}){3}$/.test(host) || host === 'localhost' || host === '::1'
  );
}

/** The address itself, or for a wildcard that of the first network card (IPv4 first). */
function reachedAt(host: string): string {
  if (host !== '0.0.0.0' && host !== '::') return host;
  const cards = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal }) => !internal);
  return (
    (cards.find(({ family }) => family === 'IPv4') ?? cards[0])?.address ??
    '127.0.0.1'
  );
}
