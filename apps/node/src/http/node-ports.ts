/** The ports that this process listens on, and those that the owner wants after the next start. */
import { Inject, Injectable } from '@nestjs/common';
import { Config } from '../config/config';
import {
  isFixed,
  portNames,
  readPorts,
  writePorts,
  type PortName,
  type SavedPorts,
} from '../config/saved-ports';
import { SeamError } from '../rpc/seam-error';

export interface NodePort {
  readonly name: PortName;
  /** Listened on now. */
  readonly port: number;
  /** After the next start. */
  readonly next: number;
  /** Given by a flag: it can be changed there only. */
  readonly fixed: boolean;
}

@Injectable()
export class NodePorts {
  /** Filled by the program once its listeners are open; a role that runs elsewhere is missing. */
  bound: SavedPorts = {};

  constructor(@Inject(Config) private readonly config: Config) {}

  list(): NodePort[] {
    const saved = readPorts(this.config.storage);
    return portNames.flatMap((name) => {
      const port = this.bound[name];
      if (port === undefined) return [];
      const fixed = isFixed(this.config, name);
      const next = fixed ? port : (saved[name] ?? port);
      return [{ name, port, next, fixed }];
    });
  }

  /** Throws `conflict` (given by a flag, or not of this process), `bad-input` (two alike). */
  change(change: SavedPorts): void {
    const list = this.list();
    for (const name of portNames) {
      if (change[name] === undefined) continue;
      const known = list.find((each) => each.name === name);
      if (!known)
        throw new SeamError('conflict', `this process has no ${name} port`);
      if (known.fixed)
        throw new SeamError(
          'conflict',
          `the ${name} port was given when the node was started: change it there`,
        );
    }
    const next = list.map(({ name, next: port }) => change[name] ?? port);
    if (new Set(next).size < next.length)
      throw new SeamError('bad-input', 'every port must be another number');
    const given = Object.fromEntries(
      Object.entries(change).filter(([, port]) => port !== undefined),
    );
    const { storage } = this.config;
    writePorts(storage, { ...readPorts(storage), ...given });
  }
}
