import { sourceOf } from './ring.controller';

describe('whose limits an address counts for', () => {
  it.each([
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['10.1.2.3', '::ffff:10.1.2.3', true],
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
  ])('%s and %s: the same is %s', (one, other, same) => {
    expect(sourceOf(one) === sourceOf(other)).toBe(same);
  });
});
