/** What the HTTP side needs around its routes: security headers, the gate, the prefix, errors, Swagger and the page. */
import type { NestExpressApplication } from '@nestjs/platform-express';
import {
  DocumentBuilder,
  SwaggerModule,
  type OpenAPIObject,
} from '@nestjs/swagger';
import express from 'express';
import helmet from 'helmet';
import { existsSync } from 'node:fs';
import { gate, type GateOptions } from './gate';
import { ProblemFilter } from './problem';
import { VERSION } from '../version';
import { validation } from './validated';

export function configure<T extends NestExpressApplication>(app: T): T {
  app.setGlobalPrefix('api', { exclude: ['health', 'metrics'] });
  app.useGlobalPipes(validation);
  app.useGlobalFilters(new ProblemFilter());
  return app;
}

export function protect(
  app: NestExpressApplication,
  options: GateOptions,
): void {
  app.disable('x-powered-by');
  app.use(
    helmet({
      contentSecurityPolicy: {
        directives: {
          defaultSrc: ["'self'"],
          scriptSrc: ["'self'"],
          // Angular and Material set styles at run time.
          styleSrc: ["'self'", "'unsafe-inline'"],
          imgSrc: ["'self'", 'data:', 'blob:'],
          mediaSrc: ["'self'", 'blob:'],
          frameSrc: ["'self'"],
          frameAncestors: ["'self'"],
          upgradeInsecureRequests: null,
        },
      },
      strictTransportSecurity: false,
      crossOriginOpenerPolicy: { policy: 'same-origin' },
      originAgentCluster: false,
      referrerPolicy: { policy: 'no-referrer' },
    }),
  );
  app.use(gate(options));
}

export function openApiDocument(app: NestExpressApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('D&D BitTorrent')
    .setDescription(
      'One node: its catalogue, downloads, library and publications, and its view of the ring. Errors are RFC 9457 problem details.',
    )
    .setVersion(VERSION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .build();
  return SwaggerModule.createDocument(app, config, {
    operationIdFactory: (_controller, method) => method,
  });
}

export function serveDocs(app: NestExpressApplication): void {
  SwaggerModule.setup('api/docs', app, () => openApiDocument(app), {
    jsonDocumentUrl: 'api/openapi.json',
  });
}

/** The built Angular program: hashed files for ever, the page itself never cached, and the page for every route of its router. */
export function servePage(app: NestExpressApplication, root: string): void {
  if (!existsSync(root)) return;
  app.use(
    express.static(root, {
      index: 'index.html',
      setHeaders: (response, path) => {
        const hashed = /-[\w-]{8}\.\w+$/.test(path);
        response.setHeader(
          'Cache-Control',
          hashed ? 'public, max-age=31536000, immutable' : 'no-cache',
        );
      },
    }),
  );
  app.use(
    (
      request: express.Request,
      response: express.Response,
      next: express.NextFunction,
    ) => {
      const isRoute = /^\/(?!api(?:\/|$)|health$|metrics$)[^.]*$/.test(
        request.path,
      );
      if (request.method === 'GET' && isRoute)
        response
          .set('Cache-Control', 'no-cache')
          .sendFile('index.html', { root });
      else next();
    },
  );
}
