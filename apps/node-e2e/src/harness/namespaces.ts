/**
 * Machines of their own, each a network namespace on one bridge that this one stands on as well, and
 * firewalls that let in nothing but answers. Takes the rights of root, iproute2 and nftables.
 */
import { execFileSync } from 'node:child_process';
import { isInstalled } from './installed';

const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { stdio: 'pipe' }).toString();

let made = 0;

export interface Machine {
  readonly namespace: string;
  readonly host: string;
}

export class Namespaces {
  private readonly tag = `${process.pid.toString(36)}${(made++).toString(36)}`;
  private readonly bridge = `dndb${this.tag}`;
  private readonly subnet = `10.${100 + (process.pid % 100)}.${made % 250}`;
  private readonly machines: Machine[] = [];

  /** Whether this user may make them here. */
  static get possible(): boolean {
    if (!isInstalled('ip') || !isInstalled('nft')) return false;
    const name = `dndt${process.pid.toString(36)}`;
    try {
      run('ip', 'netns', 'add', name);
      run('ip', 'netns', 'exec', name, 'nft', 'add', 'table', 'inet', 'dnd');
      return true;
    } catch {
      return false;
    } finally {
      try {
        run('ip', 'netns', 'del', name);
      } catch {
        // It was never made.
      }
    }
  }

  constructor() {
    run('ip', 'link', 'add', this.bridge, 'type', 'bridge');
    run('ip', 'addr', 'add', `${this.subnet}.254/24`, 'dev', this.bridge);
    run('ip', 'link', 'set', this.bridge, 'up');
  }

  /** The address of this machine among them. */
  get host(): string {
    return `${this.subnet}.254`;
  }

  add(): Machine {
    const number = this.machines.length + 1;
    const namespace = `dndn${this.tag}-${number}`;
    const [outer, inner] = [
      `dndo${this.tag}${number}`,
      `dndi${this.tag}${number}`,
    ];
    const host = `${this.subnet}.${number}`;
    run('ip', 'netns', 'add', namespace);
    this.machines.push({ namespace, host });
    run('ip', 'link', 'add', outer, 'type', 'veth', 'peer', 'name', inner);
    run('ip', 'link', 'set', outer, 'master', this.bridge, 'up');
    run('ip', 'link', 'set', inner, 'netns', namespace);
    run('ip', '-n', namespace, 'addr', 'add', `${host}/24`, 'dev', inner);
    run('ip', '-n', namespace, 'link', 'set', inner, 'up');
    run('ip', '-n', namespace, 'link', 'set', 'lo', 'up');
    return { namespace, host };
  }

  /** From now on only answers come in, and whatever this machine says. */
  wallOff({ namespace }: Machine): void {
    const chain = `
      table inet wall {
        chain input {
          type filter hook input priority 0; policy drop;
          ct state established,related accept
          iifname lo accept
          ip saddr ${this.subnet}.254 accept
        }
      }`;
    execFileSync('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], {
      input: chain,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  remove(): void {
    for (const { namespace } of this.machines)
      run('ip', 'netns', 'del', namespace);
    run('ip', 'link', 'del', this.bridge);
  }
}
