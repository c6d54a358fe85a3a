/** Composition of one process: which modules run, in which order they start and stop, and on which ports they listen. */
import {
  ConsoleLogger,
  type DynamicModule,
  type LogLevel,
  Module,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { NestExpressApplication } from '@nestjs/platform-express';
import express from 'express';
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StorageLock } from '@dnd/storage';
import { ConfigError, type Config } from './config/config';
import { withSavedPorts } from './config/saved-ports';
import { DhtModule } from './dht/dht.module';
import { RingNode } from './dht/ring-node';
import { Beacons } from './discovery/beacons';
import { configure, protect, serveDocs, servePage } from './http/configure';
import { EventHub } from './http/event-hub';
import { SESSIONS } from './http/gate';
import { HttpModule } from './http/http.module';
import { ResumableUploads } from './http/resumable-uploads';
import { NodePorts } from './http/node-ports';
import type { Part } from './part';
import { PeerEngine } from './peer/peer-engine';
import { PeerModule } from './peer/peer.module';
import { Publisher } from './peer/publishing/publisher';
import { checkAsked, firstFree, portError } from './ports';
import { Listener, RING, SEAM } from './rpc/listener';
import { deriveKey } from './rpc/psk';
import { OwnSeam, seamKey, SeamsModule } from './rpc/seams.module';
import { TrackerServers } from './tracker/tracker-servers';
import { TrackerModule } from './tracker/tracker.module';

@Module({})
class NodeModule {
  static for(config: Config): DynamicModule {
    const parts: Type<unknown>[] = [];
    if (config.roles.has('dht')) parts.push(DhtModule);
    if (config.roles.has('tracker')) parts.push(TrackerModule);
    if (config.roles.has('peer')) parts.push(PeerModule);
    if (config.roles.has('http')) parts.push(HttpModule);
    return { module: NodeModule, imports: [SeamsModule.for(config), ...parts] };
  }
}

/** Nest's own account of its wiring is left out; warnings and errors are not. */
class ProgramLogger extends ConsoleLogger {
  private static readonly quiet = new Set([
    'InstanceLoader',
    'RoutesResolver',
    'RouterExplorer',
    'NestFactory',
    'NestMicroservice',
    'NestApplication',
  ]);

  override log(message: unknown, ...rest: unknown[]): void {
    if (!ProgramLogger.quiet.has(String(rest.at(-1))))
      super.log(message, ...(rest as [string]));
  }

  /** Nest writes down that a port is taken; here the next one is tried, or the refusal says it. */
  override error(message: unknown, ...rest: unknown[]): void {
    const isListening =
      rest.at(-1) === 'NestApplication' && / listen E/.test(String(message));
    if (!isListening) super.error(message, ...(rest as [string]));
  }
}

export class Program {
  private constructor(
    private readonly app: NestExpressApplication,
    private readonly parts: readonly Part[],
    private readonly lock: StorageLock,
    private readonly config: Config,
    /** The one line that says where the page is. */
    readonly readyLine: string,
  ) {}

  static async start(given: Config): Promise<Program> {
    await checkAsked(askedPorts(given));
    const lock = await takeStorage(given.storage);
    const config = withSavedPorts(given);
    const app = configure(
      await NestFactory.create<NestExpressApplication>(NodeModule.for(config), {
        logger: new ProgramLogger({
          logLevels: levels(config),
          prefix: 'dnd',
          colors: process.stdout.isTTY ?? false,
        }),
        forceCloseConnections: true,
        bodyParser: false,
      }),
    );
    const { seam, ring } = await listen(app, config);
    app.get(OwnSeam).endpoint = { host: config.rpcHost, port: seam.boundPort };
    const beacons = app.get(Beacons);
    await beacons.start();

    const parts: Part[] = [];
    const begin = async (part: Part): Promise<void> => {
      parts.push(part);
      await part.start();
    };
    if (ring) {
      const node = app.get(RingNode);
      node.address = {
        port: ring.boundPort,
        seamPort: reachableSeam(config) ? seam.boundPort : 0,
      };
      await begin(node);
    }
    if (config.roles.has('tracker')) await begin(app.get(TrackerServers));
    if (config.roles.has('peer')) {
      await begin(app.get(PeerEngine));
      await begin(app.get(Publisher));
    }
    let readyLine = `Ready: ${[...config.roles].join(', ')}`;
    if (config.roles.has('http')) {
      await begin(app.get(ResumableUploads));
      const port = await listenHttp(app, config);
      app.get(NodePorts).bound = {
        web: port,
        ...(ring ? { ring: ring.boundPort } : {}),
        ...(config.roles.has('tracker')
          ? { tracker: app.get(TrackerServers).port }
          : {}),
        ...(config.roles.has('peer') ? { peer: app.get(PeerEngine).port } : {}),
      };
      app.get(EventHub).start();
      readyLine = `Open http://${config.host.includes(':') ? `[${config.host}]` : shown(config)}:${port}`;
    }
    await Promise.all(parts.map((part) => part.whenReady?.()));
    return new Program(app, parts, lock, config, readyLine);
  }

  async stop(): Promise<void> {
    if (this.config.roles.has('http')) this.app.get(EventHub).stop();
    for (const part of [...this.parts].reverse()) await part.stop();
    this.app.get(Beacons).stop();
    await this.app.close();
    await this.lock.release();
  }
}

function askedPorts(config: Config): Parameters<typeof checkAsked>[0] {
  const { host, rpcHost, roles } = config;
  return [
    {
      flag: '--rpc-port',
      wanted: config.rpcPort,
      host: rpcHost,
      role: undefined,
    },
    {
      flag: '--ring-port',
      wanted: config.ringPort,
      host,
      role: 'dht' as const,
    },
    {
      flag: '--tracker-port',
      wanted: config.trackerPort,
      host,
      role: 'tracker' as const,
    },
    {
      flag: '--peer-port',
      wanted: config.peerPort,
      host,
      role: 'peer' as const,
    },
    { flag: '--port', wanted: config.port, host, role: 'http' as const },
  ].filter(({ role }) => role === undefined || roles.has(role));
}

const shown = (config: Config): string =>
  config.host === '0.0.0.0' ? config.advertise : config.host;

/** The seam may be called from where the beacon is heard: the same machine, or wherever --rpc-host lets it in. */
function reachableSeam(config: Config): boolean {
  return (
    config.roles.has('tracker') &&
    (config.rpcHost === config.advertise || config.rpcHost === '0.0.0.0')
  );
}

function levels(config: Config): LogLevel[] {
  const all: LogLevel[] = ['error', 'warn', 'log', 'debug'];
  return ['fatal', ...all.slice(0, all.indexOf(config.logLevel) + 1)];
}

async function takeStorage(storage: string): Promise<StorageLock> {
  try {
    makeFolder(join(storage, '.node'));
    accessSync(join(storage, '.node'), constants.W_OK);
    return await StorageLock.acquire(storage);
  } catch (error) {
    throw new ConfigError(
      `the Storage folder ${storage} cannot be used: ${(error as Error).message}; choose another with --storage DIR`,
    );
  }
}

/** As `mkdir -p`; unlike Node's own it ends where a file system says that a new folder "does not exist" (/proc). */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}

/** Opens the seam and ring listeners. */
async function listen(
  app: NestExpressApplication,
  config: Config,
): Promise<{ seam: Listener; ring: Listener | undefined }> {
  const seam = new Listener(SEAM, {
    host: config.rpcHost,
    ...config.rpcPort,
    key: seamKey(config),
  });
  app.connectMicroservice<MicroserviceOptions>({ strategy: seam });
  let ring: Listener | undefined;
  if (config.roles.has('dht')) {
    const key =
      config.secret === undefined
        ? undefined
        : deriveKey(config.secret, `ring:${config.ring}`);
    ring = new Listener(RING, { host: config.host, ...config.ringPort, key });
    app.connectMicroservice<MicroserviceOptions>({ strategy: ring });
  }
  try {
    await app.startAllMicroservices();
  } catch (error) {
    const { port } = error as { port?: number };
    const isRing = port === config.ringPort.port;
    throw portError(error, isRing ? '--ring-port' : '--rpc-port', port);
  }
  return { seam, ring };
}

async function listenHttp(
  app: NestExpressApplication,
  config: Config,
): Promise<number> {
  const names = [config.host, config.advertise, ...config.allowHosts];
  protect(app, { names, sessions: app.get(SESSIONS) });
  // The list of an upload's files is as long as the files are many.
  app.use('/api/uploads', express.json({ limit: '32mb' }));
  app.useBodyParser('json', { limit: '1mb' });
  servePage(app, join(import.meta.dirname, '../web/browser'));
  serveDocs(app);
  const port = await firstFree(config.port, '--port', (candidate) =>
    app.listen(candidate, config.host),
  );
  // However long an upload takes: Node's own limit is five minutes.
  app.getHttpServer().requestTimeout = 0;
  return port === 0
    ? (app.getHttpServer().address() as { port: number }).port
    : port;
}
