/** Ports that were asked for, and those that were not: the first must be had, the others give way. */
import { createServer } from 'node:net';
import { ConfigError, type WantedPort } from './config/config';

/** Calls `listen` with the wanted port, or from it on with the first that is free. */
export async function firstFree(
  wanted: WantedPort,
  flag: string,
  listen: (port: number) => Promise<unknown>,
): Promise<number> {
  for (let port = wanted.port; ; port += port === 0 ? 0 : 1) {
    try {
      await listen(port);
      return port;
    } catch (error) {
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!taken || wanted.exact || port >= wanted.port + 1000)
        throw portError(error, flag, port);
    }
  }
}

/** Throws for a port that was asked for and is taken, before anything else has been started. */
export async function checkAsked(
  asked: readonly {
    readonly flag: string;
    readonly wanted: WantedPort;
    readonly host: string;
  }[],
): Promise<void> {
  for (const { flag, wanted, host } of asked) {
    if (!wanted.exact) continue;
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) =>
        reject(portError(error, flag, wanted.port)),
      );
      server.listen(wanted.port, host, () => server.close(() => resolve()));
    });
  }
}

/** What a failed `listen` means to whoever started the program. */
export function portError(
  error: unknown,
  flag: string,
  port: number | undefined,
): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return new ConfigError(
      `port ${port} is taken: choose another with ${flag}, or leave the flag out for the next free one`,
    );
  if (code === 'EACCES')
    return new ConfigError(
      `port ${port} may not be opened by this user: choose one above 1023 with ${flag}`,
    );
  if (code === 'EADDRNOTAVAIL')
    return new ConfigError(
      `this machine does not have the address to listen on (${message})`,
    );
  return error as Error;
}
