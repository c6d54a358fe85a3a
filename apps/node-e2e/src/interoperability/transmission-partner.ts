/** transmission-daemon: it calls nobody on this machine, so our node calls it. */
import { relayUdp } from '../harness/udp-relay';
import { Transmission } from '../harness/transmission';
import type { Job, Partner } from './partner';
import { patience } from './script-partner';

export class TransmissionPartner implements Partner {
  readonly dials = false;
  readonly asksTracker = false;

  private constructor(
    private readonly job: Job,
    private readonly daemon: Transmission,
    readonly port: number,
  ) {}

  static async create(job: Job): Promise<Partner> {
    const { scene, cell, folder } = job;
    const utp = cell.transport === 'utp';
    const daemon = await Transmission.start(scene, 'transmission', {
      downloads: folder,
      utp,
      encrypted: cell.encryption === 'encrypted',
    });
    // It takes TCP too, whatever it is told: behind a relay of UDP there is none.
    const port = utp ? await relayUdp(scene, daemon.peerPort) : daemon.peerPort;
    return new TransmissionPartner(job, daemon, port);
  }

  async start(): Promise<void> {
    const { cell, torrent, magnet, infoHash } = this.job;
    const seeds = cell.ours === 'downloads';
    if (!seeds && cell.source === 'magnet') await this.daemon.addMagnet(magnet);
    else await this.daemon.add(torrent);
    if (seeds) await this.daemon.seeds(infoHash, patience);
  }

  finished(): Promise<void> {
    return this.daemon.seeds(this.job.infoHash, patience);
  }
}
