/** Ports that the owner chose in the page. They hold from the next start on, where no flag names another. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config, WantedPort } from './config';

export const portNames = ['web', 'tracker', 'peer', 'ring'] as const;
export type PortName = (typeof portNames)[number];
export type SavedPorts = Partial<Record<PortName, number>>;

const fields = {
  web: 'port',
  tracker: 'trackerPort',
  peer: 'peerPort',
  ring: 'ringPort',
} as const satisfies Record<PortName, keyof Config>;

const fileOf = (storage: string): string =>
  join(storage, '.node', 'ports.json');

/** What is not a port in the file counts as not chosen. */
export function readPorts(storage: string): SavedPorts {
  let known: Record<string, unknown>;
  try {
    known = JSON.parse(readFileSync(fileOf(storage), 'utf8')) ?? {};
  } catch {
    return {};
  }
  const chosen = portNames.filter((name) => isPort(known[name]));
  return Object.fromEntries(chosen.map((name) => [name, known[name]]));
}

export function writePorts(storage: string, ports: SavedPorts): void {
  const file = fileOf(storage);
  writeFileSync(`${file}.new`, JSON.stringify(ports));
  renameSync(`${file}.new`, file);
}

/** The configuration with the saved ports; one that is taken gives way to the next free one. */
export function withSavedPorts(config: Config): Config {
  const saved = readPorts(config.storage);
  const wanted = (name: PortName): WantedPort => {
    const given = config[fields[name]];
    const port = saved[name];
    return isFixed(config, name) || port === undefined
      ? given
      : { port, exact: false };
  };
  return Object.assign(
    Object.create(Object.getPrototypeOf(config)) as Config,
    config,
    Object.fromEntries(portNames.map((name) => [fields[name], wanted(name)])),
  );
}

/** Named by a flag: 0, any free port, is one too. */
export const isFixed = (config: Config, name: PortName): boolean =>
  config[fields[name]].exact || config[fields[name]].port === 0;

function isPort(value: unknown): value is number {
  return (
    Number.isInteger(value) &&
    (value as number) > 0 &&
    (value as number) < 65_536
  );
}
