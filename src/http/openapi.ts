import type Joi from 'joi';
import { API_KEY_PREFIX } from './authenticate.js';
import { type JsonSchema, toJsonSchema } from './json-schema.js';
import { exampleOf, type MemberExamples } from './openapi-examples.js';
import { PROBLEM, PROBLEM_RESPONSES, problemContent } from './openapi-problems.js';
import { type AnyRoute, type BodyKind, Reply, type RouteResponse, route } from './route.js';

export interface OpenApiParts {
  readonly version: string;
  readonly routes: readonly AnyRoute[];
  /** Paths that are not in the table, such as the carriers' webhooks. */
  readonly morePaths?: Readonly<Record<string, JsonSchema>>;
  readonly examples?: MemberExamples;
}

const MEDIA_TYPES: Readonly<Record<BodyKind, string>> = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  multipart: 'multipart/form-data',
  csv: 'text/csv',
};

const ABOUT = `Real-time telephony switchboard: carrier webhooks in, exact call logs and live call events out.

Times are ISO 8601 in UTC with milliseconds, durations whole seconds, ids opaque and sortable by time. A list is a bare
array; the next page is in \`Link: <…>; rel="next"\`. In a filter, a comma list means «or» and \`none\` means null;
filters join by «and». Errors are \`application/problem+json\` with a stable \`code\`. Paths may be asked for with or
without their last slash.`;

/** OpenAPI 3.1 from the route table: whatever has a row has its place here. */
export function describeApi({ version, routes, morePaths = {}, examples = {} }: OpenApiParts): JsonSchema {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const row of routes) {
    const path = row.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [row.method]: operationOf(row, path, examples) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Switchboard', version, description: ABOUT, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths: { ...paths, ...morePaths },
    components: {
      schemas: { Problem: PROBLEM },
      responses: PROBLEM_RESPONSES,
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: `An access token from \`POST /api/token/\`, or an API key (\`${API_KEY_PREFIX}…\`).`,
        },
      },
    },
  };
}

function operationOf(row: AnyRoute, path: string, examples: MemberExamples): JsonSchema {
  const parameters = [...pathParameters(path), ...queryParameters(row.query)];
  return {
    operationId: operationId(row.method, path),
    tags: [row.tag],
    summary: row.summary,
    ...withText('description', [row.description, permissionOf(row)].filter(Boolean).join('\n\n')),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(row.body || row.accepts ? { requestBody: requestBody(row, examples) } : {}),
    responses: responsesOf(row, path, examples),
    security: row.access === 'bearer' ? [{ bearer: [] }] : [],
  };
}

/** `get /api/call_logs/{id}/events/` is `getCallLogsByIdEvents`. */
function operationId(method: string, path: string): string {
  const words = path
    .replace(/^\/api\//, '/')
    .replaceAll(/\{(\w+)\}/g, 'by_$1')
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean);
  return [method, ...words.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join('');
}

function permissionOf(row: AnyRoute): string {
  if (row.access === 'public') return '';
  const role = row.role && row.role !== 'member' ? `For the role ${row.role} and above.` : '';
  const key = row.scope ? `API keys need the scope \`${row.scope}\`.` : 'Closed to API keys.';
  return `${role} ${key}`.trim();
}

const withText = (name: string, text: string): JsonSchema => (text === '' ? {} : { [name]: text });

function pathParameters(path: string): JsonSchema[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', ...(name === 'id' || name.endsWith('_id') ? { format: 'uuid' } : {}) },
  }));
}

function queryParameters(query: Joi.ObjectSchema | undefined): JsonSchema[] {
  if (!query) return [];
  const { properties = {}, required = [] } = toJsonSchema(query) as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    ...(required.includes(name) ? { required: true } : {}),
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}

function requestBody(row: AnyRoute, examples: MemberExamples): JsonSchema {
  const refused = row.body ? toJsonSchema(row.body) : { type: 'object' };
  const schema = row.unknownBody === 'ignore' ? { ...refused, additionalProperties: true } : refused;
  const required = Array.isArray((schema as { required?: unknown }).required);
  const content = (row.accepts ?? ['json']).map((kind) => [
    MEDIA_TYPES[kind],
    kind === 'csv'
      ? { schema: { type: 'string', description: 'With a header line.' } }
      : { schema, example: exampleOf(schema, examples) },
  ]);
  return { required, content: Object.fromEntries(content) };
}

function responsesOf(row: AnyRoute, path: string, examples: MemberExamples): JsonSchema {
  const told = Object.entries(row.responses).map(([status, response]) => [
    status,
    {
      description: response.description,
      ...headersOf(isPaged(row, response) ? { Link: 'The next page.', ...response.headers } : response.headers),
      ...contentOf(Number(status), response, examples),
    },
  ]);
  const hasVersions = row.method === 'get' && row.responses[200]?.headers?.ETag !== undefined;
  const hasBody = row.body !== undefined || row.accepts !== undefined;
  const isBearer = row.access === 'bearer';
  const common: readonly (readonly [number, boolean])[] = [
    [400, hasBody || row.query !== undefined],
    [401, isBearer],
    [403, isBearer],
    [404, path.includes('{')],
    [413, hasBody],
    [415, hasBody],
    [429, row.cost !== 0],
    [503, isBearer],
  ];
  const refs = common
    .filter(([status, applies]) => applies && !(status in row.responses))
    .map(([status]) => [String(status), { $ref: `#/components/responses/${status}` }]);
  const unchanged = hasVersions ? [['304', { description: 'It still has an `ETag` of `If-None-Match`.' }]] : [];
  return Object.fromEntries([...told, ...unchanged, ...refs]);
}

/** A list of pages, and no export that goes on at a cursor. */
const isPaged = ({ query }: AnyRoute, { schema }: RouteResponse): boolean =>
  schema?.type === 'array' && 'cursor' in (query?.describe().keys ?? {});

function headersOf(headers: Readonly<Record<string, string>> = {}): JsonSchema {
  const described = Object.entries(headers).map(([name, description]) => [
    name,
    { description, schema: { type: 'string' } },
  ]);
  return described.length === 0 ? {} : { headers: Object.fromEntries(described) };
}

const JSON_TYPE = 'application/json';

function contentOf(
  status: number,
  { description, schema, contentType }: RouteResponse,
  examples: MemberExamples,
): JsonSchema {
  const types = [contentType ?? []].flat();
  if (schema) {
    const said = toJsonSchema(schema);
    const body = { schema: said, example: exampleOf(said, examples) };
    return { content: { [JSON_TYPE]: body, ...contentAs(types.filter((type) => type !== JSON_TYPE)) } };
  }
  if (types.length > 0) {
    return { content: contentAs(types) };
  }
  if (status < 400) return {};
  return { content: { 'application/problem+json': problemContent(status, description) } };
}

const contentAs = (types: readonly string[]): JsonSchema =>
  Object.fromEntries(types.map((type) => [type, { schema: { type: type === JSON_TYPE ? 'object' : 'string' } }]));

/** `GET /openapi.json`: `describe` is asked once, when somebody wants it. */
export function openApiRoute(describe: () => JsonSchema): AnyRoute {
  let text: string | undefined;
  return route({
    method: 'get',
    path: '/openapi.json',
    summary: 'This document',
    tag: 'Operation',
    access: 'public',
    cost: 0,
    responses: { 200: { description: 'OpenAPI 3.1.', contentType: 'application/json' } },
    handle: () => {
      text ??= JSON.stringify(describe());
      return new Reply(text, { headers: { 'Content-Type': 'application/json; charset=utf-8' } });
    },
  });
}
