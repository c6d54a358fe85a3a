/** A transmission-daemon with its own configuration, spoken to by its RPC; trackers are its only source of peers. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './eventually';
import { freePorts } from './ports';
import type { Scene } from './scene';

export interface TransmissionTorrent {
  readonly hashString: string;
  readonly percentDone: number;
  readonly status: number;
  readonly error: number;
  readonly errorString: string;
}

export interface TransmissionOptions {
  /** Of its peer connections; 127.0.0.1 by default. */
  readonly address?: string;
  /** Folder of the content; a new one by default. */
  readonly downloads?: string;
  readonly utp?: boolean;
  /** Refuses whoever does not encrypt. */
  readonly encrypted?: boolean;
}

/** `status` of the RPC. */
const seeding = 6;
const sessionHeader = 'x-transmission-session-id';

export class Transmission {
  private session = '';

  private constructor(
    readonly downloads: string,
    private readonly rpcPort: number,
    readonly peerPort: number,
  ) {}

  static async start(
    scene: Scene,
    name: string,
    options: TransmissionOptions = {},
  ): Promise<Transmission> {
    const { address = '127.0.0.1' } = options;
    const [rpcPort, peerPort] = await freePorts(2);
    const config = await scene.directory(`${name}-config`);
    const downloads =
      options.downloads ?? (await scene.directory(`${name}-downloads`));
    await writeFile(
      join(config, 'settings.json'),
      JSON.stringify({
        'bind-address-ipv4': address,
        'bind-address-ipv6': '::1',
        'dht-enabled': false,
        'download-dir': downloads,
        encryption: options.encrypted ? 2 : 0,
        'lpd-enabled': false,
        'peer-port': peerPort,
        'peer-port-random-on-start': false,
        'pex-enabled': false,
        'port-forwarding-enabled': false,
        'rpc-bind-address': '127.0.0.1',
        'rpc-port': rpcPort,
        'rpc-whitelist-enabled': false,
        'utp-enabled': options.utp ?? false,
      }),
    );
    scene.child(name, {
      command: 'transmission-daemon',
      args: ['--foreground', '--config-dir', config],
    });
    const daemon = new Transmission(downloads, rpcPort, peerPort);
    await eventually('transmission-daemon answers', () =>
      daemon.rpc('session-get', {}),
    );
    return daemon;
  }

  async add(torrent: Uint8Array, folder = this.downloads): Promise<void> {
    await this.rpc('torrent-add', {
      metainfo: Buffer.from(torrent).toString('base64'),
      'download-dir': folder,
    });
  }

  async addMagnet(magnet: string): Promise<void> {
    await this.rpc('torrent-add', { filename: magnet });
  }

  async torrent(hash: string): Promise<TransmissionTorrent> {
    const fields = [
      'hashString',
      'percentDone',
      'status',
      'error',
      'errorString',
    ];
    const { torrents } = (await this.rpc('torrent-get', { fields })) as {
      torrents: TransmissionTorrent[];
    };
    const found = torrents.find(({ hashString }) => hashString === hash);
    if (!found) throw new Error(`Transmission has no ${hash}`);
    return found;
  }

  /** Complete and verified by Transmission itself. */
  async seeds(hash: string, ms = 60_000): Promise<void> {
    await eventually(
      'Transmission has it all',
      async () => {
        const torrent = await this.torrent(hash);
        if (torrent.percentDone === 1 && torrent.status === seeding)
          return true;
        throw new Error(JSON.stringify(torrent));
      },
      ms,
    );
  }

  private async rpc(method: string, args: object): Promise<unknown> {
    const ask = (): Promise<Response> =>
      fetch(`http://127.0.0.1:${this.rpcPort}/transmission/rpc`, {
        method: 'POST',
        headers: { [sessionHeader]: this.session },
        body: JSON.stringify({ method, arguments: args }),
      });
    let response = await ask();
    if (response.status === 409) {
      this.session = response.headers.get(sessionHeader) ?? '';
      response = await ask();
    }
    const { result, arguments: answer } = (await response.json()) as {
      result: string;
      arguments: unknown;
    };
    if (result !== 'success') throw new Error(`${method}: ${result}`);
    return answer;
  }
}

/** A .torrent that Transmission makes of a file or folder. */
export async function createTorrent(
  content: string,
  torrent: string,
  announceUrl: string,
): Promise<void> {
  await promisify(execFile)('transmission-create', [
    '--outfile',
    torrent,
    '--tracker',
    announceUrl,
    content,
  ]);
}
