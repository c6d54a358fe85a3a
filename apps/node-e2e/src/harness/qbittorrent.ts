/** A qbittorrent-nox with a profile of its own, spoken to by its web API; trackers are its only source of peers. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './eventually';
import { freePorts } from './ports';
import type { Scene } from './scene';

interface QBittorrentTorrent {
  readonly state: string;
  readonly progress: number;
}

/** States of a torrent that is complete. */
const complete = new Set(['uploading', 'stalledUP', 'forcedUP', 'queuedUP']);

/** qBittorrent asks nobody on this machine for a password when it is told so. */
const settings = (address: string, peerPort: number, apiPort: number): string =>
  `[LegalNotice]
Accepted=true

[BitTorrent]
Session\\DHTEnabled=false
Session\\LSDEnabled=false
Session\\PeXEnabled=false
Session\\BTProtocol=TCP
Session\\Interface=lo
Session\\InterfaceName=lo
Session\\InterfaceAddress=${address}
Session\\MultiConnectionsPerIp=true
Session\\Port=${peerPort}
Session\\QueueingSystemEnabled=false

[Network]
PortForwardingEnabled=false

[Preferences]
WebUI\\Address=127.0.0.1
WebUI\\LocalHostAuth=false
WebUI\\Port=${apiPort}
`;

export class QBittorrent {
  private constructor(
    private readonly apiPort: number,
    readonly peerPort: number,
  ) {}

  /** Its peer connections come from and go to `address`. */
  static async start(
    scene: Scene,
    name: string,
    address = '127.0.0.1',
  ): Promise<QBittorrent> {
    const [apiPort, peerPort] = await freePorts(2);
    const profile = await scene.directory(`${name}-profile`);
    const config = join(profile, 'qBittorrent/config');
    await mkdir(config, { recursive: true });
    await writeFile(
      join(config, 'qBittorrent.conf'),
      settings(address, peerPort, apiPort),
    );
    scene.child(name, {
      command: 'qbittorrent-nox',
      args: [`--profile=${profile}`],
      // It must not find the settings of whoever runs the test.
      env: { HOME: profile, XDG_CONFIG_HOME: '', XDG_DATA_HOME: '' },
    });
    const client = new QBittorrent(apiPort, peerPort);
    await eventually('qbittorrent-nox answers', () =>
      client.ask('app/webapiVersion'),
    );
    return client;
  }

  /** What lies in `folder` already is checked and seeded. */
  async add(torrent: Uint8Array, folder: string): Promise<void> {
    const form = new FormData();
    form.set('savepath', folder);
    form.set('torrents', new Blob([Buffer.from(torrent)]), 'added.torrent');
    await this.ask('torrents/add', form);
  }

  /** Complete and verified by qBittorrent itself. */
  async seeds(hash: string, ms = 60_000): Promise<void> {
    await eventually(
      'qBittorrent has it all',
      async () => {
        const answer = await this.ask(`torrents/info?hashes=${hash}`);
        const [torrent] = JSON.parse(answer) as QBittorrentTorrent[];
        if (torrent?.progress === 1 && complete.has(torrent.state)) return true;
        throw new Error(answer);
      },
      ms,
    );
  }

  private async ask(method: string, form?: FormData): Promise<string> {
    const response = await fetch(
      `http://127.0.0.1:${this.apiPort}/api/v2/${method}`,
      form ? { method: 'POST', body: form } : {},
    );
    const text = await response.text();
    if (!response.ok || text === 'Fails.')
      throw new Error(`${method}: ${response.status} ${text}`);
    return text;
  }
}
