import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig, type Config } from './config';
import { readPorts, withSavedPorts, writePorts } from './saved-ports';

const storage = mkdtempSync(join(tmpdir(), 'ports-'));
beforeAll(() => mkdirSync(join(storage, '.node')));
afterAll(() => rmSync(storage, { recursive: true }));

function config(...flags: string[]): Config {
  const command = readConfig([...flags, '--storage', storage], {});
  if (command.run !== 'node') throw new Error('no configuration');
  return command.config;
}

it('are the defaults where none was chosen, or the file is damaged', () => {
  expect(withSavedPorts(config())).toEqual(config());
  for (const text of [
    '{',
    'null',
    '{"web": "x", "peer": 70000, "ring": 1.5}',
  ]) {
    writeFileSync(join(storage, '.node/ports.json'), text);
    expect(readPorts(storage)).toEqual({});
  }
});

it('hold where no flag names another, and give way when taken', () => {
  writePorts(storage, { web: 9000, peer: 9001, ring: 9002 });
  const { port, peerPort, ringPort, trackerPort } = withSavedPorts(
    config('--peer-port', '7777', '--ring-port', '0'),
  );
  expect(port).toEqual({ port: 9000, exact: false });
  expect(peerPort).toEqual({ port: 7777, exact: true });
  expect(ringPort).toEqual({ port: 0, exact: false });
  expect(trackerPort).toEqual({ port: 6969, exact: false });
});
