/** Checks a JSON value against a schema of an OpenAPI document: the part of JSON Schema that Swagger writes. */

export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly nullable?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
}

export type Schemas = Readonly<Record<string, Schema>>;

/** What is wrong, each with its place; empty when the value is as described. Properties that no schema names are wrong too. */
export function violations(
  value: unknown,
  schema: Schema,
  schemas: Schemas,
  at = '$',
): string[] {
  const inner = (part: Schema): string[] =>
    violations(value, part, schemas, at);
  if (schema.$ref) {
    const name = schema.$ref.replace('#/components/schemas/', '');
    const target = schemas[name];
    return target ? inner(target) : [`${at}: no schema ${name}`];
  }
  if (schema.oneOf) {
    const best = schema.oneOf.map(inner);
    return best.find((wrong) => wrong.length === 0) ?? best.flat();
  }
  if (schema.allOf) return schema.allOf.flatMap(inner);
  if (value === null && schema.nullable) return [];
  if (schema.enum && !schema.enum.includes(value))
    return [`${at}: ${JSON.stringify(value)} is none of the enum`];
  const wrongType = typeViolation(value, schema, at);
  if (wrongType) return [wrongType];
  if (Array.isArray(value) && schema.items) {
    const { items } = schema;
    return value.flatMap((item, i) =>
      violations(item, items, schemas, `${at}[${i}]`),
    );
  }
  return schema.properties
    ? objectViolations(value as Record<string, unknown>, schema, schemas, at)
    : [];
}

function objectViolations(
  value: Record<string, unknown>,
  { properties = {}, required = [] }: Schema,
  schemas: Schemas,
  at: string,
): string[] {
  const missing = required
    .filter((name) => value[name] === undefined)
    .map((name) => `${at}.${name}: missing`);
  const inside = Object.entries(value).flatMap(([name, item]) =>
    properties[name]
      ? violations(item, properties[name], schemas, `${at}.${name}`)
      : [`${at}.${name}: not described`],
  );
  return [...missing, ...inside];
}

function typeViolation(
  value: unknown,
  { type, format, minimum, maximum }: Schema,
  at: string,
): string | undefined {
  const found = Array.isArray(value)
    ? 'array'
    : value === null
      ? 'null'
      : typeof value;
  const wanted = type === 'integer' ? 'number' : type;
  if (wanted && found !== wanted) return `${at}: ${found}, not ${type}`;
  if (type === 'integer' && !Number.isInteger(value))
    return `${at}: ${String(value)} is no integer`;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return `${at}: not finite`;
    if (minimum !== undefined && value < minimum) return `${at}: below minimum`;
    if (maximum !== undefined && value > maximum) return `${at}: above maximum`;
  }
  if (
    format === 'date-time' &&
    !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(
      String(value),
    )
  )
    return `${at}: ${JSON.stringify(value)} is no date-time`;
  return undefined;
}
