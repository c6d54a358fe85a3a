import fc from 'fast-check';
import { UploadQueue } from './upload-queue';

const request = fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9));
const step = fc.oneof(
  fc.record({ do: fc.constant('push' as const), request }),
  fc.record({ do: fc.constant('shift' as const), count: fc.nat(5) }),
  fc.record({ do: fc.constant('remove' as const), request }),
);

describe('UploadQueue', () => {
  it('behaves like a list of at most `limit` requests', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 200 }),
        fc.integer({ min: 1, max: 40 }),
        (steps, limit) => {
          const queue = new UploadQueue(limit);
          const list: [number, number, number][] = [];
          for (const change of steps) {
            if (change.do === 'push') {
              const room = list.length < limit;
              expect(queue.push(...change.request)).toBe(room);
              if (room) list.push(change.request);
            } else if (change.do === 'shift') {
              const count = Math.min(change.count, list.length);
              queue.shift(count);
              list.splice(0, count);
            } else {
              const at = list.findIndex(
                (each) => each.join() === change.request.join(),
              );
              expect(queue.remove(...change.request)).toBe(at >= 0);
              if (at >= 0) list.splice(at, 1);
            }
          }
          const held = Array.from({ length: queue.length }, (_, i) => [
            queue.piece(i),
            queue.begin(i),
            queue.size(i),
          ]);
          expect(held).toEqual(list);
        },
      ),
    );
  });
});
