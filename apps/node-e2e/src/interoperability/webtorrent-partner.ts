/**
 * webtorrent, installed by npm into a folder of its own when the whole matrix is asked for: nothing of
 * the project needs it. Its WebRTC is left out, for that wants a binary which is not in the package.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { relayUdp } from '../harness/udp-relay';
import type { Job, Partner } from './partner';
import { ScriptPartner } from './script-partner';

export const release = '3.0.21';

const withoutWebRtc = `
import { registerHooks } from 'node:module';
const names = ['RTCPeerConnection', 'RTCSessionDescription', 'RTCIceCandidate', 'RTCDataChannel'];
const source = names.map((name) => 'export const ' + name + ' = undefined;').join('') + 'export default {};';
registerHooks({
  resolve: (name, context, next) =>
    name === 'webrtc-polyfill'
      ? { url: 'data:text/javascript,' + encodeURIComponent(source), format: 'module', shortCircuit: true }
      : next(name, context),
});
`;

const script = `
import WebTorrent from 'webtorrent';
import { readFileSync } from 'node:fs';
const orders = JSON.parse(process.argv.at(-1));
const client = new WebTorrent({
  torrentPort: orders.port, utp: orders.utp, secure: orders.encrypted,
  dht: false, lsd: false, utPex: false, natUpnp: false, natPmp: false, tracker: false, webSeeds: false,
});
client.on('error', (error) => { console.error(error); process.exit(1); });
const { source } = orders;
const torrent = client.add(source.startsWith('magnet:') ? source : readFileSync(source), { path: orders.folder, announce: [] });
torrent.on('warning', (error) => console.error(String(error)));
let ready = false;
const tell = () => {
  if (ready) return;
  ready = true;
  console.log('ready');
  if (orders.peer) torrent.addPeer('127.0.0.1:' + orders.peer);
};
torrent.on('ready', tell);
if (source.startsWith('magnet:')) torrent.on('infoHash', () => (client.listening ? tell() : client.on('listening', tell)));
torrent.on('done', () => { tell(); console.log('complete'); });
`;

let folder: string | undefined;

/** False when it cannot be had here. */
export function installWebtorrent(): boolean {
  const at = mkdtempSync(join(tmpdir(), 'dnd-webtorrent-'));
  try {
    writeFileSync(join(at, 'package.json'), '{"private":true}');
    const install = ['install', `webtorrent@${release}`, '--ignore-scripts'];
    execFileSync('npm', [...install, '--no-audit', '--no-fund'], {
      cwd: at,
      stdio: 'pipe',
      timeout: 300_000,
    });
    writeFileSync(join(at, 'without-webrtc.mjs'), withoutWebRtc);
    writeFileSync(join(at, 'peer.mjs'), script);
    folder = at;
    return true;
  } catch (error) {
    console.warn(`webtorrent is left out: ${(error as Error).message}`);
    rmSync(at, { recursive: true, force: true });
    return false;
  }
}

export function forgetWebtorrent(): void {
  if (folder) rmSync(folder, { recursive: true, force: true });
}

export const WebtorrentPartner = {
  /** Over uTP it would try TCP as well: behind a relay of UDP there is none. */
  async create(job: Job): Promise<Partner> {
    if (!folder) throw new Error('webtorrent is not installed');
    const utp = job.cell.transport === 'utp';
    const partner = await ScriptPartner.of(
      job,
      {
        command: process.execPath,
        args: ['--import', './without-webrtc.mjs', 'peer.mjs'],
        cwd: folder,
      },
      !utp,
    );
    if (!utp) return partner;
    const port = await relayUdp(job.scene, partner.port);
    return {
      port,
      dials: false,
      asksTracker: false,
      start: () => partner.start(),
      finished: () => partner.finished(),
    };
  },
};
