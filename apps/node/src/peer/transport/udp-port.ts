/** The UDP socket beside the TCP port: uTP's packets and the mainline DHT's messages share it, as other clients expect. */
import type { Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { openDatagrams } from '../../datagrams';

export type DatagramHandler = (
  datagram: Buffer,
  host: string,
  port: number,
) => void;

/** First byte of every DHT message, a bencoded dictionary; no uTP packet begins so. */
const dictionary = 0x64;

export class UdpPort {
  private socket: Socket | undefined;
  /** Whether an IPv4 address has to be written as an IPv6 one. */
  private mapsAddresses = false;

  constructor(
    private readonly utp: DatagramHandler,
    private readonly dht: DatagramHandler,
  ) {}

  /** Rejects as a socket does (EADDRINUSE ...). */
  async listen(host: string, port: number): Promise<void> {
    const socket = await openDatagrams(port, host);
    // Errors of single datagrams: what they belong to times out.
    socket.on('error', () => undefined);
    socket.on('message', (datagram, { address, port: from }) => {
      const take = datagram[0] === dictionary ? this.dht : this.utp;
      take(datagram, plain(address), from);
    });
    this.socket = socket;
    this.mapsAddresses = isIPv6(host);
  }

  get isOpen(): boolean {
    return this.socket !== undefined;
  }

  /** What cannot be sent is lost, which its users are made for. */
  send(datagram: Uint8Array, host: string, port: number): void {
    const { socket } = this;
    if (!socket) return;
    const mapped = this.mapsAddresses && !host.includes(':');
    const to = mapped ? `::ffff:${host}` : host;
    socket.send(datagram, port, to, () => undefined);
  }

  close(): void {
    this.socket?.close();
    this.socket = undefined;
  }
}

const plain = (address: string): string =>
  address.replace(/^::ffff:(?=\d+\.)/, '');
