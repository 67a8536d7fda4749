import type { JsonSchema } from './json-schema.js';

/** Examples by the name of a member: it looks the same wherever it stands. */
export type MemberExamples = Readonly<Record<string, unknown>>;

const BY_FORMAT: Readonly<Record<string, string>> = {
  uuid: '019a8f3e-5d2c-7b1a-9c4d-2f6e8a7b1c3d',
  'date-time': '2026-10-05T07:30:00.000Z',
  date: '2026-10-05',
  uri: 'https://switchboard.example.com/',
};

interface Shape {
  readonly type?: string | readonly string[];
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly format?: string;
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** What a schema describes, once: of its own examples, else of its members'; `name` is the member's it belongs to. */
export function exampleOf(schema: JsonSchema, members: MemberExamples, name = ''): unknown {
  const shape = schema as Shape;
  if (shape.examples?.length) return shape.examples[0];
  if ('const' in shape) return shape.const;
  if (shape.enum) return shape.enum.find((value) => value !== null);
  const alternative = [...(shape.anyOf ?? []), ...(shape.oneOf ?? [])].find((one) => one.type !== 'null');
  if (alternative) return exampleOf(alternative, members, name);
  return ofType(shape, members, name);
}

function ofType(shape: Shape, members: MemberExamples, name: string): unknown {
  const type = typeof shape.type === 'object' ? shape.type.find((one) => one !== 'null') : shape.type;
  if (type === 'object') return ofMembers(shape.properties ?? {}, members);
  if (type === 'array') return [exampleOf(shape.items ?? {}, members, name)];
  if (shape.default !== undefined) return shape.default;
  if (type === 'boolean') return true;
  if (type === 'integer' || type === 'number') return members[name] ?? shape.minimum ?? 1;
  return BY_FORMAT[shape.format ?? ''] ?? members[name] ?? 'text';
}

const ofMembers = (properties: Readonly<Record<string, JsonSchema>>, members: MemberExamples): unknown =>
  Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, exampleOf(schema, members, name)]));
