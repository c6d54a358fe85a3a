/** Every route that the document describes is asked, and every answer is as it says; the client checks each on its way. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesOf } from './harness/content';
import { eventually } from './harness/eventually';
import type { Node } from './harness/node';
import type { OpenApi } from './harness/openapi';
import { Scene } from './harness/scene';

let scene: Scene;
let a: Node;
let b: Node;
let openApi: OpenApi;
let share: string;
/** Published by a, downloaded by b. */
let shared: string;
/** Published by a, taken back in the course of the tests. */
let passing: string;
/** An upload that is begun and given up. */
let upload: string;
/** A node that asks for a password, and two browsers signed in there. */
let locked: Node;
let password: string;
let browsers: readonly string[];

beforeAll(async () => {
  scene = await Scene.open('openapi');
  share = await scene.directory('share');
  [a, b] = await scene.startRing(['a', 'b'], { share });
  openApi = await a.api.openApi();
  ({ infoHash: shared } = await a.api.publish({
    fields: { comment: 'with a comment' },
    files: {
      'shared/one.bin': bytesOf('one', 100_000),
      'shared/two.txt': bytesOf('two', 10),
    },
  }));
  ({ infoHash: passing } = await a.api.publish({
    files: { 'passing.bin': bytesOf('passing', 1000) },
  }));
  locked = await scene.start('locked', {
    'sign-in': true,
    multicast: 'off',
  });
  [, password] = await locked.process.line(/page is (\S+)/, 1000);
  browsers = await Promise.all([signIn(), signIn()]);
  for (const infoHash of [shared, passing])
    await eventually('b knows it', async () => {
      const path = `/api/catalogue/${infoHash}`;
      return (await b.api.ask('GET', path)).status === 200;
    });
}, 180_000);
afterAll(() => scene.close());

/** The cookie of a new session on the locked node. */
async function signIn(): Promise<string> {
  const { headers, status } = await locked.api.ask('POST', '/api/session', {
    json: { password },
    documented: false,
  });
  expect(status).toBe(200);
  return headers['set-cookie']?.[0].split(';')[0] ?? '';
}

const asBrowser = (
  method: string,
  path: string,
  json?: unknown,
): ReturnType<Call> =>
  locked.api.ask(method, path, {
    headers: { cookie: browsers[0] },
    documented: false,
    ...(json === undefined ? {} : { json }),
  });

type Call = () => Promise<{ readonly status: number }>;

/** One good call of each operation, in an order in which they are possible. */
const calls: Record<string, Call> = {
  health: () => a.api.ask('GET', '/health'),
  metrics: () => a.api.ask('GET', '/metrics'),
  getSession: () => a.api.ask('GET', '/api/session'),
  signIn: () =>
    a.api.ask('POST', '/api/session', { json: { password: 'none is needed' } }),
  signOut: () => a.api.ask('DELETE', '/api/session'),
  listSessions: () => asBrowser('GET', '/api/sessions'),
  signOutSession: async () => {
    const { json } = (await asBrowser('GET', '/api/sessions')) as unknown as {
      json: { items: { id: string; current: boolean }[] };
    };
    expect(json.items.map(({ current }) => current).sort()).toEqual([
      false,
      true,
    ]);
    const other = json.items.find(({ current }) => !current)?.id;
    return asBrowser('DELETE', `/api/sessions/${other}`);
  },
  signOutOthers: () => asBrowser('DELETE', '/api/sessions'),
  changePassword: async () => {
    const path = '/api/session/password';
    const next = 'another password';
    const wrong = await asBrowser('PUT', path, { current: 'wrong', next });
    expect(wrong.status).toBe(403);
    return asBrowser('PUT', path, { current: password, next });
  },
  getRing: () => a.api.ask('GET', '/api/ring'),
  getTracker: () => a.api.ask('GET', '/api/tracker'),
  getSettings: () => a.api.ask('GET', '/api/settings'),
  changeSettings: () =>
    b.api.ask('PATCH', '/api/settings', {
      json: {
        seedRatio: 0,
        name: 'b',
        alternative: 'schedule',
        schedule: [{ days: [1, 7], from: '22:00', to: '06:30' }],
      },
    }),
  getPorts: () => a.api.ask('GET', '/api/settings/ports'),
  changePorts: () => a.api.ask('PATCH', '/api/settings/ports', { json: {} }),
  getFolders: () => a.api.ask('GET', '/api/settings/folders'),
  publish: async () => {
    await writeFile(join(share, 'where it lies.bin'), bytesOf('lies', 5000));
    const json = { path: join(share, 'where it lies.bin'), comment: 'ü' };
    return a.api.ask('POST', '/api/publications', { json });
  },
  createUpload: async () => {
    const answer = await a.api.ask('POST', '/api/uploads', {
      json: { files: [{ path: 'a.bin', size: 10 }], private: true },
    });
    ({ id: upload } = answer.json as { id: string });
    return answer;
  },
  sendUpload: () =>
    a.api.ask('PATCH', `/api/uploads/${upload}`, {
      headers: {
        'content-type': 'application/offset+octet-stream',
        'upload-offset': '0',
      },
      body: Buffer.alloc(5),
    }),
  listUploads: () => a.api.ask('GET', '/api/uploads'),
  getUpload: () => a.api.ask('GET', `/api/uploads/${upload}`),
  discardUpload: () => a.api.ask('DELETE', `/api/uploads/${upload}`),
  listPublications: () => a.api.ask('GET', '/api/publications'),
  listCatalogue: () =>
    b.api.ask(
      'GET',
      '/api/catalogue?search=shared&sort=size&order=asc&offset=0&limit=10',
    ),
  getCatalogueFacets: () =>
    b.api.ask('GET', '/api/catalogue/facets?search=shared'),
  getCatalogueEntry: () => b.api.ask('GET', `/api/catalogue/${shared}`),
  getTorrent: () => b.api.ask('GET', `/api/catalogue/${shared}/torrent`),
  getMagnet: () => b.api.ask('GET', `/api/catalogue/${shared}/magnet`),
  addDownload: () =>
    b.api.ask('POST', '/api/downloads', { json: { infoHash: shared } }),
  listDownloads: () => b.api.ask('GET', '/api/downloads'),
  getDownload: async () => {
    await b.reaches(shared, 'seeding');
    return b.api.ask('GET', `/api/downloads/${shared}`);
  },
  getDownloadFiles: () => b.api.ask('GET', `/api/downloads/${shared}/files`),
  getDownloadPeers: () => b.api.ask('GET', `/api/downloads/${shared}/peers`),
  getDownloadPieces: () => b.api.ask('GET', `/api/downloads/${shared}/pieces`),
  getDownloadLog: () => b.api.ask('GET', `/api/downloads/${shared}/log`),
  getDownloadTrackers: () =>
    b.api.ask('GET', `/api/downloads/${shared}/trackers`),
  updateDownload: () =>
    b.api.ask('PATCH', `/api/downloads/${shared}`, {
      json: { downloadLimit: 100_000, files: [{ index: 0, priority: 7 }] },
    }),
  recheckDownload: () => b.api.ask('POST', `/api/downloads/${shared}/recheck`),
  pauseDownload: () => b.api.ask('POST', `/api/downloads/${shared}/pause`),
  resumeDownload: () => b.api.ask('POST', `/api/downloads/${shared}/resume`),
  cancelDownload: async () => {
    await b.api.add({ infoHash: passing });
    await b.api.act(passing, 'pause');
    return b.api.ask('POST', `/api/downloads/${passing}/cancel`);
  },
  retryDownload: () => b.api.ask('POST', `/api/downloads/${passing}/retry`),
  removeDownload: () =>
    b.api.ask('DELETE', `/api/downloads/${passing}?data=true`),
  events: () => streamed('/api/events'),
  progress: () => streamed(`/api/downloads/${shared}/progress`),
  listLibrary: () => b.api.ask('GET', '/api/library'),
  readFile: async () => {
    const { items } = await b.api.files(shared);
    return b.api.ask('GET', items[0].url, { headers: { Range: 'bytes=1-5' } });
  },
  withdraw: () => a.api.ask('DELETE', `/api/catalogue/${passing}`),
};

async function streamed(path: string): Promise<{ status: number }> {
  const stream = await b.api.events(path);
  await stream.first('an event', () => true);
  stream.close();
  return { status: 200 };
}

it('the document is OpenAPI 3 with a summary for every operation', async () => {
  const { json } = await a.api.ask('GET', '/api/openapi.json');
  expect(json).toMatchObject({ openapi: expect.stringMatching(/^3\./) });
  for (const { operation } of openApi.routes)
    expect(operation.summary).toMatch(/\w/);
});

it('these tests call every operation of the document, and no other', () => {
  const described = openApi.routes.map(
    ({ operation }) => operation.operationId,
  );
  expect(Object.keys(calls).sort()).toEqual([...described].sort());
});

it.each(Object.keys(calls))('%s answers as documented', async (name) => {
  const { status } = await calls[name]();
  expect(status).toBeGreaterThanOrEqual(200);
  expect(status).toBeLessThan(300);
});

it.each([
  ['0123456789abcdef0123456789abcdef01234567', 404],
  ['no-hash', 400],
])('every route about %s answers %i', async (hash, status) => {
  for (const { method, path } of openApi.routes) {
    if (!/\{(id|infoHash)\}/.test(path)) continue;
    const target = path
      .replace(/\{(id|infoHash)\}/, hash)
      .replace('{path}', 'a/b.bin');
    const question = method === 'PATCH' ? { json: {} } : {};
    const answer = await b.api.ask(method, target, question);
    expect({ method, path, status: answer.status }).toEqual({
      method,
      path,
      status,
    });
  }
});

it('the page that tries the API is served', async () => {
  const { status, bytes } = await a.api.ask('GET', '/api/docs', {
    documented: false,
  });
  expect(status).toBe(200);
  expect(bytes.toString()).toContain('swagger');
});

it('a node with a password answers whoever has it, and nobody else', async () => {
  const node = await scene.start('given', { password: 'the right password' });
  const authorization = (password: string) => ({
    authorization: `Basic ${Buffer.from(`x:${password}`).toString('base64')}`,
  });
  const status = async (headers: Record<string, string>): Promise<number> => {
    const question = { headers, documented: false };
    return (await node.api.ask('GET', '/api/downloads', question)).status;
  };
  expect(await status({})).toBe(401);
  expect(await status(authorization('a wrong password'))).toBe(401);
  expect(await status(authorization('the right password'))).toBe(200);

  const signIn = await node.api.open('POST', '/api/session', {
    json: { password: 'the right password' },
  });
  signIn.body.resume();
  const cookie = signIn.headers['set-cookie']?.[0].split(';')[0] ?? '';
  expect(await status({ cookie })).toBe(200);
});

it.each([
  ['another name', { host: 'evil.example' }, 'GET', 421],
  ['a foreign origin', { origin: 'http://evil.example' }, 'PATCH', 403],
])('a request from %s is refused', async (_what, headers, method, status) => {
  const answer = await a.api.ask(method, '/api/settings', {
    headers,
    documented: false,
    ...(method === 'PATCH' ? { json: { name: 'x' } } : {}),
  });
  expect(answer.status).toBe(status);
});
