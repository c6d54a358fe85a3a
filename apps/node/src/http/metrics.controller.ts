/** `/metrics` for Prometheus: the process by prom-client's defaults, the rest asked through the seams when it is scraped. */
import { Controller, Get, Header } from '@nestjs/common';
import {
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiTags,
} from '@nestjs/swagger';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { Dht } from '../dht/dht';
import { Peer } from '../peer/peer';
import { Tracker } from '../tracker/tracker';
import type { TrackerTotalDto } from '../tracker/tracker.dto';

@ApiTags('metrics')
@Controller('metrics')
export class MetricsController {
  private readonly registry = new Registry();
  private readonly gauges = new Map<string, Gauge>();

  constructor(
    private readonly tracker: Tracker,
    private readonly dht: Dht,
    private readonly peer: Peer,
  ) {
    collectDefaultMetrics({
      register: this.registry,
      // Milliseconds. Every 10 ms, as it is by default, an idle node would wake up for nothing else.
      eventLoopMonitoringPrecision: 1_000,
    });
  }

  @Get()
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiOperation({ summary: 'Figures for Prometheus' })
  @ApiProduces('text/plain')
  @ApiOkResponse({ schema: { type: 'string' } })
  async metrics(): Promise<string> {
    // A part that does not answer is left out of this scrape; the others are told.
    await Promise.allSettled([this.ofTracker(), this.ofRing(), this.ofPeer()]);
    return this.registry.metrics();
  }

  private async ofTracker(): Promise<void> {
    const {
      announces,
      scrapes,
      announcesPerSecond,
      swarms,
      peers,
      seeds,
      latency,
      errors,
      catalogue,
      ring,
      total,
    } = await this.tracker.status();
    this.set('tracker_announces_total', 'Announces answered', announces);
    this.set('tracker_scrapes_total', 'Scrapes answered', scrapes);
    this.set(
      'tracker_announces_per_second',
      'Announces in the last second',
      announcesPerSecond,
    );
    this.set('tracker_swarms', 'Swarms known', swarms);
    this.set('tracker_peers', 'Peers known', peers);
    this.set('tracker_seeds', 'Complete peers known', seeds);
    this.set('tracker_answer_milliseconds', 'Time of an answer', latency.p50, {
      quantile: '0.5',
    });
    this.set('tracker_answer_milliseconds', 'Time of an answer', latency.p99, {
      quantile: '0.99',
    });
    for (const [kind, count] of Object.entries(errors))
      this.set('tracker_errors_total', 'Requests not served', count, { kind });
    this.set('catalogue_entries', 'Entries of the catalogue', catalogue);
    this.set('ring_trackers', 'Live trackers of the ring', ring.length);
    this.ofTrackers(total);
  }

  /** All trackers of the ring together. */
  private ofTrackers(total: TrackerTotalDto): void {
    this.set(
      'ring_announces_per_second',
      'Announces in the last second, all trackers',
      total.announcesPerSecond,
    );
    this.set('ring_swarms', 'Swarms of the ring', total.swarms);
    this.set('ring_peers', 'Peers of the ring', total.peers);
    this.set('ring_seeds', 'Complete peers of the ring', total.seeds);
    for (const [quantile, milliseconds] of [
      ['0.5', total.latency.p50],
      ['0.99', total.latency.p99],
    ] as const)
      this.set(
        'ring_answer_milliseconds',
        'Time of an answer, of the slowest tracker',
        milliseconds,
        { quantile },
      );
    for (const [kind, count] of Object.entries(total.errorsPerMinute))
      this.set(
        'ring_errors_per_minute',
        'Requests not served in the last minute, all trackers',
        count,
        { kind },
      );
  }

  private async ofRing(): Promise<void> {
    const { nodes, records, replication } = await this.dht.ring();
    for (const state of ['alive', 'suspected', 'dead'] as const) {
      this.set(
        'ring_nodes',
        'Nodes of the ring as this one sees them',
        nodes.filter((node) => node.state === state).length,
        { state },
      );
    }
    for (const [kind, count] of Object.entries(records))
      this.set('ring_records', 'Records kept here', count, { kind });
    this.set(
      'ring_under_replicated',
      'Records kept here with fewer copies than wanted',
      replication.underReplicated,
    );
  }

  private async ofPeer(): Promise<void> {
    const { items } = await this.peer.downloads();
    const states = new Map<string, number>();
    for (const { state } of items)
      states.set(state, (states.get(state) ?? 0) + 1);
    this.gauges.get('dnd_peer_torrents')?.reset();
    for (const [state, count] of states)
      this.set('peer_torrents', 'Torrents of this node', count, { state });
    this.set(
      'peer_download_bytes_per_second',
      'Present rate',
      items.reduce((sum, { downloadRate }) => sum + downloadRate, 0),
    );
    this.set(
      'peer_upload_bytes_per_second',
      'Present rate',
      items.reduce((sum, { uploadRate }) => sum + uploadRate, 0),
    );
    this.set(
      'peer_uploaded_bytes_total',
      'Of the torrents that are here',
      items.reduce((sum, { uploadedBytes }) => sum + uploadedBytes, 0),
    );
  }

  private set(
    name: string,
    help: string,
    value: number,
    labels: Record<string, string> = {},
  ): void {
    const full = `dnd_${name}`;
    let gauge = this.gauges.get(full);
    if (!gauge) {
      gauge = new Gauge({
        name: full,
        help,
        labelNames: Object.keys(labels),
        registers: [this.registry],
      });
      this.gauges.set(full, gauge);
    }
    gauge.set(labels, value);
  }
}
