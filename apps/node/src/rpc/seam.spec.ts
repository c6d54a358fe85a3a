import 'reflect-metadata';
import {
  Injectable,
  Module,
  type INestApplicationContext,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { connect } from 'node:net';
import { Listener, SEAM } from './listener';
import { deriveKey } from './psk';
import {
  defineSeam,
  seamClient,
  seamController,
  SeamConnections,
  type Endpoint,
} from './seam';
import { SeamError } from './seam-error';

abstract class Greeter {
  abstract greet(name: string, bytes: Uint8Array): Promise<string>;
  abstract fail(code: 'known' | 'unknown'): Promise<void>;
  abstract hang(): Promise<void>;
}
const greeterSeam = defineSeam<Greeter>('greeter', Greeter, {
  greet: 2000,
  fail: 2000,
  hang: 100,
});

@Injectable()
class Polite extends Greeter {
  async greet(name: string, bytes: Uint8Array): Promise<string> {
    return `hello ${name} (${bytes.length})`;
  }
  async fail(code: string): Promise<void> {
    throw code === 'known'
      ? new SeamError('conflict', 'not twice')
      : new Error('a secret detail');
  }
  hang(): Promise<void> {
    return new Promise(() => undefined);
  }
}

@Module({
  controllers: [seamController(greeterSeam, Polite)],
  providers: [Polite],
})
class GreeterModule {}

const apps: INestApplicationContext[] = [];
const connections: SeamConnections[] = [];
afterEach(async () => {
  for (const each of connections.splice(0)) each.close();
  for (const app of apps.splice(0)) await app.close();
});

async function serve(key?: Buffer): Promise<Endpoint> {
  const listener = new Listener(SEAM, {
    host: '127.0.0.1',
    port: 0,
    exact: false,
    ...(key ? { key } : {}),
  });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(
    GreeterModule,
    { strategy: listener, logger: false },
  );
  await app.listen();
  apps.push(app);
  return { host: '127.0.0.1', port: listener.boundPort };
}

function client(endpoints: () => Endpoint[], key?: Buffer): Greeter {
  const connection = new SeamConnections(key);
  connections.push(connection);
  return seamClient(greeterSeam, connection, endpoints);
}

describe.each([
  ['plain', undefined],
  ['with a secret', deriveKey('a long secret', 'seam')],
])('a seam over TCP, %s', (_, key) => {
  it('carries values and bytes', async () => {
    const endpoint = await serve(key);
    const greeter = client(() => [endpoint], key);
    expect(await greeter.greet('ñ', new Uint8Array(1_000_000))).toBe(
      'hello ñ (1000000)',
    );
  });

  it('carries errors by their code, and hides what was not meant for others', async () => {
    const endpoint = await serve(key);
    const greeter = client(() => [endpoint], key);
    await expect(greeter.fail('known')).rejects.toMatchObject({
      code: 'conflict',
      message: 'not twice',
    });
    await expect(greeter.fail('unknown')).rejects.toMatchObject({
      code: 'internal',
      message: expect.not.stringContaining('secret'),
    });
  });

  it('goes on to the next endpoint where one is not there', async () => {
    const gone = await serve(key);
    await apps.pop()?.close();
    const endpoint = await serve(key);
    expect(
      await client(() => [gone, endpoint], key).greet('x', new Uint8Array(0)),
    ).toBe('hello x (0)');
  });

  it('says that nobody answered in time', async () => {
    const endpoint = await serve(key);
    await expect(client(() => [endpoint], key).hang()).rejects.toMatchObject({
      code: 'unavailable',
    });
    await expect(client(() => [], key).hang()).rejects.toMatchObject({
      code: 'unavailable',
    });
  });
});

it('does not speak to whoever has another secret', async () => {
  const endpoint = await serve(deriveKey('a long secret', 'seam'));
  for (const key of [
    undefined,
    deriveKey('another secret', 'seam'),
    deriveKey('a long secret', 'ring:dnd'),
  ]) {
    await expect(
      client(() => [endpoint], key).greet('x', new Uint8Array(0)),
    ).rejects.toMatchObject({ code: 'unavailable' });
  }
});

it('cuts off whoever announces a frame over the bound, or sends none', async () => {
  const endpoint = await serve();
  for (const bytes of [
    Buffer.from([255, 255, 255, 255, 0]),
    Buffer.from([1, 0, 0, 0, 5]),
  ]) {
    await new Promise<void>((resolve, reject) => {
      const socket = connect(endpoint.port, endpoint.host, () =>
        socket.write(bytes),
      );
      socket.on('close', () => resolve());
      socket.on('error', reject);
    });
  }
  expect(await client(() => [endpoint]).greet('still', new Uint8Array(0))).toBe(
    'hello still (0)',
  );
});
