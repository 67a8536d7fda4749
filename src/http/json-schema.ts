import type Joi from 'joi';

export type JsonSchema = Readonly<Record<string, unknown>>;

interface Described {
  readonly type?: string;
  readonly flags?: { readonly description?: string; readonly default?: unknown };
  readonly metas?: readonly { readonly schema?: JsonSchema }[];
  readonly examples?: readonly unknown[];
  readonly allow?: readonly unknown[];
  readonly keys?: Readonly<Record<string, Described>>;
  readonly items?: readonly Described[];
  readonly matches?: readonly { readonly schema?: Described }[];
}

const DOCUMENTING = ['description', 'default', 'examples'];
/** A `.meta({ schema })` with one of these says all there is; without, it adds to what Joi said. */
const SHAPING = ['type', 'anyOf', 'oneOf', 'allOf', '$ref', 'enum'];

/**
 * Joi's own JSON Schema, with what it leaves out: examples, and what `.meta({ schema })` says of rules that it drops
 * without a word (`custom`, `when`, `or`, `xor`, references).
 */
export function toJsonSchema(schema: Joi.Schema): JsonSchema {
  const made = schema['~standard'].jsonSchema.input({ target: 'draft-2020-12' }) as JsonSchema;
  return completed(made, schema.describe() as Described);
}

function completed(made: JsonSchema, described: Described): JsonSchema {
  const said: JsonSchema = Object.assign({}, ...(described.metas ?? []).map((meta) => meta.schema));
  const isWhole = SHAPING.some((member) => member in said);
  const kept = isWhole ? pick(made, DOCUMENTING) : { ...made, ...parts(made, described) };
  const examples = described.examples ? { examples: described.examples } : {};
  return { ...withNull({ ...kept, ...said }, described), ...examples };
}

/** Joi forgets the null of a list of values that allows it. */
const withNull = (schema: JsonSchema, { allow = [] }: Described): JsonSchema =>
  Array.isArray(schema.enum) && allow.includes(null) && !schema.enum.includes(null)
    ? { ...schema, enum: [...schema.enum, null] }
    : schema;

/** The same for members, entries and alternatives. */
function parts(made: JsonSchema, described: Described): Record<string, unknown> {
  const { properties, items, anyOf } = made as {
    properties?: Record<string, JsonSchema>;
    items?: JsonSchema | false;
    anyOf?: JsonSchema[];
  };
  const found: Record<string, unknown> = {};
  if (properties && described.keys) {
    found.properties = Object.fromEntries(
      Object.entries(properties).map(([name, member]) => [name, completed(member, described.keys?.[name] ?? {})]),
    );
  }
  if (items && described.items) found.items = completedItems(items, described.items);
  // With null allowed, one more stands before those that were given.
  const given = described.matches?.flatMap((match) => (match.schema ? [match.schema] : [])) ?? [];
  if (anyOf && given.length > 0) {
    const before = anyOf.length - given.length;
    found.anyOf = anyOf.map((one, i) => (i < before ? one : completed(one, given[i - before] ?? {})));
  }
  return found;
}

/** Entries of one kind, or of several. */
function completedItems(items: JsonSchema, described: readonly Described[]): JsonSchema {
  const kinds = items.anyOf as JsonSchema[] | undefined;
  const [only] = described;
  if (only && described.length === 1) return completed(items, only);
  if (kinds?.length !== described.length) return items;
  return { ...items, anyOf: kinds.map((kind, place) => completed(kind, described[place] ?? {})) };
}

const pick = (schema: JsonSchema, names: readonly string[]): JsonSchema =>
  Object.fromEntries(Object.entries(schema).filter(([name]) => names.includes(name)));
