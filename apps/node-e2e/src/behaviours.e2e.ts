/** Every row of the table of peer behaviours has a test: over real sockets here, or as a spec where it needs minutes, a cipher at both ends or many peers. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspace } from './harness/node';

const table = join(workspace, '../shared/cases/behaviours.json');
const read = (path: string): string =>
  readFileSync(join(workspace, path), 'utf8');

/** Where the others are: file, and a part of the test's name. */
const elsewhere: Readonly<Record<string, readonly [string, string]>> = {
  H10: ['apps/node-e2e/src/holepunch.e2e.ts', 'H10: take one connection'],
  M2: [
    'libs/wire/src/opening.spec.ts',
    'keeps alive with less than two minutes',
  ],
  E16: [
    'libs/wire/src/pex-state.spec.ts',
    'tells what changed, at most once a minute',
  ],
  X1: [
    'libs/wire/src/mse/encrypted-handshake.spec.ts',
    'an encrypted handshake',
  ],
  X2: [
    'libs/wire/src/mse/encrypted-handshake.spec.ts',
    'refuses a torrent that is not here',
  ],
  X3: [
    'libs/wire/src/mse/encrypted-handshake.spec.ts',
    'refuses a pad over 512',
  ],
  X4: [
    'libs/wire/src/mse/encrypted-handshake.spec.ts',
    'are refused where no secret could come of them',
  ],
  D14: [
    'libs/swarm/src/serving.spec.ts',
    'changes no more than once in ten seconds',
  ],
  U1: ['libs/wire/src/utp/utp.spec.ts', 'brings all bytes in order over'],
  U2: [
    'libs/wire/src/utp/utp.spec.ts',
    'ignores extensions that it does not know',
  ],
  V4: [
    'libs/swarm/src/swarm.spec.ts',
    'of two senders only the liar is banned',
  ],
};

const describeWhere = existsSync(table) ? describe : describe.skip;

describeWhere('the table of peer behaviours', () => {
  const ids = existsSync(table)
    ? (
        JSON.parse(readFileSync(table, 'utf8')) as {
          behaviours: { id: string }[];
        }
      ).behaviours.map(({ id }) => id)
    : [];
  const here = ['seed', 'leech']
    .map((side) => read(`apps/node-e2e/src/${side}-behaviours.e2e.ts`))
    .join();
  const tested = new Set(
    [...here.matchAll(/['"`]((?:[A-Z]\d+(?:, )?)+):/g)].flatMap(([, list]) =>
      list.split(', '),
    ),
  );
  for (const [, id] of here.matchAll(/; ([A-Z]\d+):/g)) tested.add(id);

  it.each(ids.map((id) => [id]))('%s has a test', (id) => {
    const other = elsewhere[id];
    if (other) expect(read(other[0])).toContain(other[1]);
    else expect([...tested]).toContain(id);
  });
});
