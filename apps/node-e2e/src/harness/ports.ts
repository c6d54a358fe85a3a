/**
 * Ports for the processes of one test file. Each is handed out once, so that nobody takes a dead
 * node's port for the node; below the range from which the system picks ports for connections.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const first = 12_000;
const perWorker = 4_000;
const workers = 5;

const worker = Number(process.env['JEST_WORKER_ID'] ?? 1) % workers;
let offset = (process.pid * 37 + Date.now()) % perWorker;

/** A port that is free for TCP and UDP on every address of this machine. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < perWorker; tries++) {
    offset = (offset + 1) % perWorker;
    const port = first + worker * perWorker + offset;
    if ((await isFreeTcp(port)) && (await isFreeUdp(port))) return port;
  }
  throw new Error('no port is free');
}

export const freePorts = async (count: number): Promise<number[]> => {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
};

const isFreeTcp = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });

const isFreeUdp = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, () => socket.close(() => resolve(true)));
  });
