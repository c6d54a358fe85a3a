/**
 * A UDP port that stands for another one: whoever talks to it talks to the target. There is no TCP on
 * it, so a client that is told this address has to use uTP. It can lose datagrams and change their order.
 */
import { createSocket, type Socket } from 'node:dgram';
import { freePort } from './ports';
import type { Scene } from './scene';

export interface Faults {
  /** 0 to 1, of datagrams either way. */
  readonly loss: number;
  /** 0 to 1, of datagrams that come after the next one. */
  readonly reordered: number;
}

/** `port` of a new relay to `target` on this machine, both at `host`. */
export async function relayUdp(
  scene: Scene,
  target: number,
  faults: Faults = { loss: 0, reordered: 0 },
  host = '127.0.0.1',
): Promise<number> {
  const port = await freePort();
  const type = host.includes(':') ? 'udp6' : 'udp4';
  const front = createSocket(type);
  const backs = new Map<number, Socket>();
  const unruly = unreliable(faults);
  front.on('message', (bytes, { port: client }) => {
    let back = backs.get(client);
    if (!back) {
      back = createSocket(type);
      back.bind(0, host);
      back.on('message', (answer) =>
        unruly(() => front.send(answer, client, host)),
      );
      backs.set(client, back);
    }
    const way = back;
    unruly(() => way.send(bytes, target, host));
  });
  await new Promise<void>((resolve, reject) => {
    front.once('error', reject);
    front.bind(port, host, resolve);
  });
  scene.atEnd(() => {
    front.close();
    for (const back of backs.values()) back.close();
  });
  return port;
}

/** Calls what it is given at once, after the next call, or not at all. */
function unreliable({
  loss,
  reordered,
}: Faults): (deliver: () => void) => void {
  let held: (() => void) | undefined;
  return (deliver) => {
    if (Math.random() < loss) return;
    if (!held && Math.random() < reordered) {
      held = deliver;
      return;
    }
    deliver();
    held?.();
    held = undefined;
  };
}
