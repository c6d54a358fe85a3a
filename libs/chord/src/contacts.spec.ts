import { Random } from '@dnd/sim';
import { Contacts } from './contacts';
import type { NodeRef } from './node-ref';
import { defaultSettings } from './settings';

const random = new Random(1);
const newNode = (): NodeRef => ({
  id: random.hex(40),
  host: 'h',
  port: 1,
  incarnation: 1,
});
const self = newNode();

function contacts(
  limit: number,
  pinned: (id: string) => boolean = () => false,
) {
  const settings = { ...defaultSettings, contacts: limit, deadLimit: 10 };
  return new Contacts(() => self.id, settings, pinned);
}

describe('Contacts', () => {
  it('stay sorted, each once, without the node itself', () => {
    const table = contacts(1_000);
    const nodes = Array.from({ length: 200 }, newNode);
    for (const node of [...nodes, ...nodes, self]) table.enter(node);
    const ids = table.sorted.map((c) => c.node.id);
    expect(ids).toEqual(nodes.map((n) => n.id).sort());
    for (const { id } of nodes.slice(0, 50)) table.delete(id);
    expect(table.sorted.map((c) => c.node.id)).toEqual(
      nodes
        .slice(50)
        .map((n) => n.id)
        .sort(),
    );
  });

  it('are counted clockwise and counter-clockwise from the node', () => {
    const table = contacts(100);
    for (let i = 0; i < 30; i++) table.enter(newNode());
    const ids = table.sorted.map((c) => c.node.id);
    const after = ids.filter((id) => id > self.id);
    const before = ids.filter((id) => id < self.id);
    const order = [...after, ...before];
    expect(order.map((_, i) => table.clockwise(i)?.node.id)).toEqual(order);
    expect(order.map((_, i) => table.counterClockwise(i)?.node.id)).toEqual(
      [...order].reverse(),
    );
    expect(table.clockwise(30)).toBeUndefined();
  });

  it('make room by dropping the dead and the unknown, never neighbours', () => {
    const kept = newNode();
    const table = contacts(50, (id) => id === kept.id);
    table.enter(kept);
    const alive = Array.from({ length: 20 }, newNode);
    for (const node of alive) {
      const contact = table.enter(node);
      if (contact) contact.state = 'alive';
    }
    for (let i = 0; i < 5_000; i++) table.enter(newNode());
    expect(table.size).toBeLessThan(120);
    expect(table.get(kept.id)).toBeDefined();
    for (const node of alive) expect(table.get(node.id)).toBeDefined();
    const nearest = table.clockwise(0)?.node.id as string;
    for (let i = 0; i < 1_000; i++) table.enter(newNode());
    const nearestNow = table.clockwise(0)?.node.id as string;
    expect([nearest > self.id, nearestNow <= nearest]).toEqual([true, true]);
  });

  it('remember only so many dead', () => {
    const table = contacts(1_000);
    for (let i = 0; i < 30; i++) {
      const contact = table.enter(newNode());
      if (!contact) continue;
      contact.state = 'dead';
      contact.probeAt = i;
    }
    table.forgetDead();
    expect(table.sorted.map((c) => c.probeAt).sort((a, b) => a - b)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ]);
    expect(table.nextDead()?.probeAt).toBe(0);
  });
});
