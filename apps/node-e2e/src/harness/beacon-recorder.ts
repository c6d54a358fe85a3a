/** Hears the beacons of a scene's nodes and can say them again, as they were. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** Where the sender's id stands in a beacon, and where it ends. */
const idAt = 22;
const idEnd = 42;

export class BeaconRecorder {
  private readonly heard: Buffer[] = [];

  private constructor(
    private readonly socket: Socket,
    private readonly group: string,
    private readonly port: number,
  ) {
    socket.on('message', (data) => this.heard.push(data));
  }

  /** `multicast` as the flag has it: GROUP:PORT, on loopback. */
  static async listen(multicast: string): Promise<BeaconRecorder> {
    const [group, port] = multicast.split(':') as [string, string];
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    socket.bind(Number(port));
    await once(socket, 'listening');
    socket.addMembership(group, '127.0.0.1');
    socket.setMulticastInterface('127.0.0.1');
    return new BeaconRecorder(socket, group, Number(port));
  }

  /** The beacons of one node, oldest first. */
  of(id: string): Buffer[] {
    return this.heard.filter((b) => b.toString('hex', idAt, idEnd) === id);
  }

  say(beacon: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) =>
      this.socket.send(beacon, this.port, this.group, (error) =>
        error ? reject(error) : resolve(),
      ),
    );
  }

  close(): void {
    this.socket.close();
  }
}
