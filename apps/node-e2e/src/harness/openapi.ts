/** The API as its own document describes it, and whether an answer keeps to that. */
import type { IncomingHttpHeaders } from 'node:http';
import { violations, type Schema, type Schemas } from './schema';

interface Described {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly responses: Readonly<Record<string, Described>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Schemas };
}

export interface Route {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

interface CheckedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Uint8Array;
  readonly json: unknown;
}

export class OpenApi {
  readonly routes: readonly Route[];
  private readonly schemas: Schemas;

  constructor(json: unknown) {
    const { paths, components } = json as Document;
    this.schemas = components.schemas;
    this.routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        operation,
      })),
    );
  }

  /** The operation that answers this request, the one with the fewest parameters first. */
  route(method: string, target: string): Route | undefined {
    const path = target.split('?')[0];
    const wanted = method === 'HEAD' ? 'GET' : method;
    return this.routes
      .filter((route) => route.method === wanted && matches(route.path, path))
      .sort((a, b) => parameters(a.path) - parameters(b.path))[0];
  }

  /** Throws when the answer is not what the document promises. */
  check(method: string, target: string, answer: CheckedAnswer): void {
    const what = `${method} ${target.slice(0, 200)} → ${answer.status}`;
    const route = this.route(method, target);
    if (!route) throw new Error(`${what}: the route is not documented`);
    const described = route.operation.responses[String(answer.status)];
    if (!described) throw new Error(`${what}: the status is not documented`);
    if (method === 'HEAD') return;
    const [type] = (answer.headers['content-type'] ?? '').split(';');
    const { content } = described;
    // The bytes of a file have the type of the file.
    const media = content?.[type] ?? content?.['application/octet-stream'];
    if (content && !media)
      throw new Error(`${what}: ${type} is not documented`);
    const schema = media?.schema;
    if (!schema || !/json$/.test(type)) return;
    const wrong = violations(answer.json, schema, this.schemas);
    if (wrong.length > 0)
      throw new Error(`${what}: not as documented: ${wrong.join('; ')}`);
    if (answer.status >= 400) this.checkProblem(what, answer);
  }

  private checkProblem(what: string, { status, headers, json }: CheckedAnswer) {
    const type = headers['content-type'] ?? '';
    if (!type.startsWith('application/problem+json'))
      throw new Error(`${what}: an error of type ${type}`);
    if ((json as { status?: unknown }).status !== status)
      throw new Error(`${what}: the problem names another status`);
  }
}

const parameters = (path: string): number => path.split('{').length;

/** `{path}` stands for the rest, other parameters for one element. */
function matches(template: string, path: string): boolean {
  const pattern = template
    .replace(/[.*+?^$()|[\]\\]/g, '\\$&')
    .replace(/\{path\}/g, '.+')
    .replace(/\{\w+\}/g, '[^/]+');
  return new RegExp(`^${pattern}$`).test(path);
}
