import { Selection } from './selection';

describe('Selection', () => {
  const order = ['a', 'b', 'c', 'd', 'e'];
  const click = (keys: MouseEventInit) => new MouseEvent('click', keys);

  it('toggles with Ctrl and extends from there with Shift, both ways', () => {
    const selection = new Selection();
    expect(selection.click(click({ ctrlKey: true }), order, 'c')).toBe(true);
    selection.click(click({ shiftKey: true }), order, 'e');
    expect(selection.ids()).toEqual(['c', 'd', 'e']);
    selection.click(click({ shiftKey: true }), order, 'a');
    expect(selection.ids()).toEqual(['a', 'b', 'c']);
  });

  it('leaves a plain click to the row', () => {
    const selection = new Selection();
    expect(selection.click(click({}), order, 'c')).toBe(false);
    expect(selection.count()).toBe(0);
  });

  it('takes a tap for the selection once something is selected', () => {
    const selection = new Selection();
    const tap = () =>
      Object.assign(click({}), { pointerType: 'touch' }) as MouseEvent;
    expect(selection.click(tap(), order, 'c')).toBe(false);
    selection.toggle('a');
    expect(selection.click(tap(), order, 'c')).toBe(true);
    expect(selection.click(click({}), order, 'd')).toBe(false);
    expect(selection.ids()).toEqual(['a', 'c']);
  });

  it('forgets what is gone', () => {
    const selection = new Selection();
    selection.set(order);
    selection.keep((id) => id < 'c');
    expect(selection.ids()).toEqual(['a', 'b']);
  });
});
