/** UDP sockets for much traffic. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/**
 * Bytes that the kernel may keep for a socket, each way, if it lets us (net.core.rmem_max): what comes
 * while we are busy and finds no room is lost, and uTP takes that for a full line.
 */
export const datagramRoom = 4 * 1024 * 1024;

/** Rejects as a socket does (EADDRINUSE ...). Sends to addresses, not names. */
export async function openDatagrams(
  port: number,
  host: string,
): Promise<Socket> {
  const family = isIPv6(host) ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    recvBufferSize: datagramRoom,
    sendBufferSize: datagramRoom,
    // An address: nothing to look up, and no turn to wait for it.
    lookup: (address, _options, found) => found(null, address, family),
  });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address: host, port, exclusive: true }, resolve);
    });
  } catch (error) {
    socket.close();
    throw error;
  }
  socket.removeAllListeners('error');
  return socket;
}
