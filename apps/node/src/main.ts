import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { SwaggerModule } from '@nestjs/swagger';
import { rpcServerOptions } from '@dnd/rpc';
import { AppModule } from './app/app.module';
import { configure, openApiDocument } from './app/configure';

const httpPort = Number(process.env['PORT'] ?? 3000);
const rpcPort = Number(process.env['RPC_PORT'] ?? 3001);
const host = process.env['HOST'] ?? '127.0.0.1';

// forceCloseConnections: an open event stream would keep the process alive on SIGTERM.
const app = configure(
  await NestFactory.create<NestExpressApplication>(AppModule, {
    forceCloseConnections: true,
  }),
);
app.connectMicroservice<MicroserviceOptions>(
  rpcServerOptions({ host, port: rpcPort, secret: process.env['RPC_SECRET'] }),
  { inheritAppConfig: true },
);
SwaggerModule.setup('api/docs', app, () => openApiDocument(app), {
  jsonDocumentUrl: 'api/openapi.json',
});
app.enableShutdownHooks();
await app.startAllMicroservices();
await app.listen(httpPort, host);
console.log(
  `http ${host}:${httpPort} rpc ${host}:${rpcPort} node ${process.version}`,
);
