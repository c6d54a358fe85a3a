import { Logger } from '@nestjs/common';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../config/config';
import {
  announceHttp,
  announcePath,
  hashOf,
  RawUdp,
} from './raw-clients.contract';
import { TrackerScene } from './tracker-scene.contract';

Logger.overrideLogger(false);
const scene = new TrackerScene();
const folder = mkdtempSync(join(tmpdir(), 'lists-'));
afterEach(() => scene.stop());
afterAll(() => rmSync(folder, { recursive: true }));

function list(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

it('believes X-Forwarded-For of a proxy it was told of', async () => {
  const { port } = await scene.start({ trustedProxies: ['127.0.0.0/8'] });
  const hash = hashOf(1);
  await announceHttp(port, announcePath(hash, 1), 'X-Forwarded-For: 8.8.8.8');
  await announceHttp(
    port,
    announcePath(hash, 2),
    'X-Forwarded-For: 6.6.6.6, 7.7.7.7',
  );
  const { hosts } = await announceHttp(port, announcePath(hash, 3));
  expect(hosts.sort()).toEqual(['7.7.7.7', '8.8.8.8']);
});

it('refuses over HTTP and UDP what is denied, with the reason', async () => {
  const deny = list('deny', hashOf(1).toString('hex'));
  const { port, servers } = await scene.start({ trackerDeny: deny });
  const denied = await announceHttp(port, announcePath(hashOf(1), 1));
  expect(denied.failure).toMatch(/not served/);
  expect((await announceHttp(port, announcePath(hashOf(2), 1))).failure).toBe(
    undefined,
  );
  const udp = await RawUdp.open(port);
  udp.send(udp.announce(hashOf(1), 1));
  const answer = await udp.answer();
  expect(answer.readUInt32BE(0)).toBe(3);
  expect(answer.toString('latin1', 8)).toMatch(/not served/);
  udp.close();
  expect(servers.counters().refused).toBe(2);
});

it('is private where there are passkeys', async () => {
  const trackerPasskeys = list('keys', 'sesame\n');
  const { port } = await scene.start({ trackerPasskeys });
  const path = announcePath(hashOf(1), 1);
  expect((await announceHttp(port, path)).failure).toMatch(/private/);
  expect((await announceHttp(port, `/simsalabim${path}`)).failure).toMatch(
    /not known/,
  );
  expect((await announceHttp(port, `/sesame${path}`)).failure).toBe(undefined);
});

it('does not start with a list that cannot be read', async () => {
  const trackerAllow = join(folder, 'absent');
  await expect(scene.start({ trackerAllow })).rejects.toThrow(ConfigError);
});
