import { violations, type Schema, type Schemas } from './schema';

const schemas: Schemas = {
  Entry: {
    type: 'object',
    required: ['id', 'state'],
    properties: {
      id: { type: 'integer', minimum: 0 },
      state: { $ref: '#/components/schemas/State' },
      at: { type: 'string', format: 'date-time' },
      parts: { type: 'array', items: { type: 'string' } },
    },
  },
  State: { type: 'string', enum: ['on', 'off'] },
};
const entry: Schema = { $ref: '#/components/schemas/Entry' };

describe('violations', () => {
  it('finds none in a value as described', () => {
    const value = {
      id: 1,
      state: 'on',
      at: '2026-01-02T03:04:05.678Z',
      parts: ['a'],
    };
    expect(violations(value, entry, schemas)).toEqual([]);
  });

  it.each([
    [{ state: 'on' }, '$.id: missing'],
    [{ id: 1.5, state: 'on' }, '$.id: 1.5 is no integer'],
    [{ id: -1, state: 'on' }, '$.id: below minimum'],
    [{ id: 1, state: 'of' }, '$.state: "of" is none of the enum'],
    [{ id: 1, state: 'on', more: 1 }, '$.more: not described'],
    [{ id: 1, state: 'on', at: 'today' }, '$.at: "today" is no date-time'],
    [{ id: 1, state: 'on', parts: ['a', 2] }, '$.parts[1]: number, not string'],
    [null, '$: null, not object'],
    [[], '$: array, not object'],
  ])('says what is wrong with %j', (value, wrong) => {
    expect(violations(value, entry, schemas)).toEqual([wrong]);
  });

  it('takes any of several schemas', () => {
    const either: Schema = { oneOf: [entry, { type: 'number' }] };
    expect(violations(3, either, schemas)).toEqual([]);
    expect(violations('3', either, schemas)).not.toEqual([]);
  });
});
