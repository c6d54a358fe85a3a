import { ConfigError, helpText, readConfig, type Config } from './config';

const config = (
  args: string[],
  environment: Record<string, string> = {},
): Config => {
  const command = readConfig(args, environment);
  if (command.run !== 'node') throw new Error(command.run);
  return command.config;
};

it('listens on this machine only, without a password, unless told otherwise', () => {
  const plain = config([]);
  expect(plain).toMatchObject({
    host: '127.0.0.1',
    rpcHost: '127.0.0.1',
    signIn: false,
    interface: '127.0.0.1',
    port: { port: 8080, exact: false },
    multicast: { host: '239.255.4.3', port: 1234 },
  });
  expect([...plain.roles]).toEqual(['dht', 'tracker', 'peer', 'http']);
});

it('takes localhost for an address', () => {
  expect(config(['--host', 'localhost'])).toMatchObject({
    host: '127.0.0.1',
    advertise: '127.0.0.1',
  });
});

it('joins the DHT of the Internet when the network is let in, unless told otherwise', () => {
  const wanted = (...args: string[]): boolean => config(args).mainlineDht;
  expect(wanted()).toBe(false);
  expect(wanted('--mainline-dht', 'on')).toBe(true);
  expect(wanted('--host', '0.0.0.0', '--open')).toBe(true);
  expect(wanted('--host', '0.0.0.0', '--open', '--mainline-dht', 'off')).toBe(
    false,
  );
  const { dhtBootstrap } = config(['--dht-bootstrap', '127.0.0.1:7']);
  expect(dhtBootstrap).toEqual([{ host: '127.0.0.1', port: 7 }]);
});

it('takes flags, and variables where there is no flag', () => {
  const both = config(
    ['--port', '9000', '--join', 'a:1', '--join', '[::1]:2'],
    {
      DND_PORT: '9001',
      DND_TRACKER_PORT: '7001',
      DND_SHARE: '/a,/b',
    },
  );
  expect(both.port).toEqual({ port: 9000, exact: true });
  expect(both.trackerPort).toEqual({ port: 7001, exact: true });
  expect(both.shares).toEqual(['/a', '/b']);
  expect(both.join).toEqual([
    { host: 'a', port: 1 },
    { host: '::1', port: 2 },
  ]);
});

it.each([
  [['--nonsense'], /--help/],
  [['extra'], /--help/],
  [['--port', 'x'], /--port must be a number/],
  [['--port', '65536'], /--port must be a number/],
  [['--host', '0.0.0.0'], /--secret TEXT/],
  [['--host', 'machine.example', '--open'], /--host must be an IP address/],
  [['--rpc-host', '0.0.0.0', '--open'], /--secret/],
  [['--secret', 'short'], /at least 8/],
  [['--join', 'nowhere'], /HOST:PORT/],
  [['--roles', 'dht,cook'], /"cook"/],
  [['--roles', 'http'], /add peer/],
  [['--ring', 'a b'], /--ring/],
  [['--trusted-proxy', 'proxy.example'], /--trusted-proxy must be an IP/],
  [['--trusted-proxy', '10.0.0.0/33'], /--trusted-proxy must be an IP/],
  [['--log-level', 'loud'], /error, warn, log, debug/],
  [['--mainline-dht', 'maybe'], /on, off or auto/],
  [['--dht-bootstrap', 'nowhere'], /HOST:PORT/],
])('refuses %j in one line', (args, message) => {
  expect(() => config(args)).toThrow(ConfigError);
  expect(() => config(args)).toThrow(message);
  try {
    config(args);
  } catch (error) {
    expect((error as Error).message).not.toContain('\n');
  }
});

it('takes the lists and proxies of the tracker', () => {
  expect(config([])).toMatchObject({
    trustedProxies: [],
    trackerAllow: undefined,
  });
  const lists = ['--tracker-deny', '/etc/deny', '--tracker-passkeys', '/keys'];
  const proxies = ['--trusted-proxy', '10.0.0.0/8', '--trusted-proxy', '::1'];
  expect(config([...lists, ...proxies])).toMatchObject({
    trackerDeny: '/etc/deny',
    trackerPasskeys: '/keys',
    trustedProxies: ['10.0.0.0/8', '::1'],
  });
});

it('asks for a sign-in where others can reach it', () => {
  const args = ['--host', '0.0.0.0', '--advertise', '10.0.0.5'];
  expect(config([...args, '--secret', 'correct horse'])).toMatchObject({
    signIn: true,
    advertise: '10.0.0.5',
    interface: '10.0.0.5',
  });
  expect(config([...args, '--open']).signIn).toBe(false);
});

it('names every flag in its help', () => {
  const text = helpText();
  for (const flag of [
    '--storage',
    '--secret',
    '--roles',
    '--share',
    '--help',
  ]) {
    expect(text).toContain(flag);
  }
});
