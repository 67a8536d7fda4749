import { expect } from 'chai';
import Joi from 'joi';
import { toJsonSchema } from '../../src/http/json-schema.js';
import { describeApi } from '../../src/http/openapi.js';
import { route } from '../../src/http/route.js';
import { startSystem, type TestSystem } from '../support/system.js';

// biome-ignore lint/suspicious/noExplicitAny: a document is looked into at many places
type Json = any;

/** Their next page is told by the greatest `seq` of the one before. */
const LISTS_BY_SEQ = ['/api/call_events/', '/api/events/'];

describe('the OpenAPI document', () => {
  let system: TestSystem;
  let document: Json;
  before(async function () {
    this.timeout(60_000);
    system = await startSystem();
    document = (await system.ask('GET', '/openapi.json')).body;
  });
  after(() => system.stop());

  it('is OpenAPI 3.1 and can be had without a token', () => {
    expect(document.openapi).to.equal('3.1.0');
    expect(document.info.version).to.match(/^\d+\.\d+\.\d+/);
  });

  it('has every route of the table', () => {
    const { tokens, accounts, apiKeys, numbers, carriers, ingestion, calls, live, events } = system.system.features;
    const features = [tokens, accounts, apiKeys, numbers, carriers, ingestion, calls, live, events];

    const missing = features
      .flatMap(({ routes }) => routes)
      .filter((row) => !document.paths[row.path.replaceAll(/:(\w+)/g, '{$1}')]?.[row.method]);

    expect(missing.map((row) => `${row.method} ${row.path}`)).to.deep.equal([]);
    expect(document.paths).to.include.keys(
      '/livez/',
      '/readyz/',
      '/metrics/',
      '/openapi.json',
      '/webhooks/{carrier_id}/',
    );
  });

  it('names every operation once, and says what it answers', () => {
    const operations = Object.values<Json>(document.paths).flatMap((path) => Object.values<Json>(path));
    const names = operations.map(({ operationId }) => operationId);

    expect(names.filter((name, i) => names.indexOf(name) !== i)).to.deep.equal([]);
    for (const operation of operations) {
      expect(operation.summary, operation.operationId).to.be.a('string').and.not.equal('');
      expect(Object.keys(operation.responses), operation.operationId).to.not.deep.equal([]);
    }
  });

  it('points only at what it has', () => {
    const dead = refsIn(document).filter((ref) => !at(document, ref));

    expect(dead).to.deep.equal([]);
  });

  it('gives an example of every JSON body, answer and problem', () => {
    const operations = Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
      Object.entries<Json>(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
    );

    const without = operations.flatMap(({ name, operation }) =>
      [operation.requestBody, ...Object.values<Json>(operation.responses)]
        .map((told) => (told?.$ref ? (at(document, told.$ref) as Json) : told))
        .flatMap((told) => Object.entries<Json>(told?.content ?? {}))
        .filter(([mediaType, { schema }]) => mediaType.endsWith('json') && !isAnyObject(schema))
        .filter(([, { example }]) => example === undefined)
        .map(([mediaType]) => `${name} ${mediaType}`),
    );

    expect(without).to.deep.equal([]);
  });

  it('gives examples and defaults that its own routes take', () => {
    const routes: Json[] = Object.values(system.system.features).flatMap((feature: Json) => feature.routes ?? []);

    const refused = routes.flatMap((row) => {
      const operation = document.paths[row.path.replaceAll(/:(\w+)/g, '{$1}')][row.method];
      const body = operation.requestBody?.content['application/json']?.example;
      const given: Json[] = (operation.parameters ?? []).flatMap(({ in: place, name, schema }: Json) =>
        [schema.default, ...(schema.examples ?? [])]
          .filter((value) => place === 'query' && value !== undefined)
          .map((value) => ({ name, value })),
      );
      const wrong = [
        ...(row.body && body !== undefined ? errorsOf(row.body, body) : []),
        ...given.flatMap(({ name, value }) =>
          errorsOf(row.query, { [name]: value }).filter((error) => error.startsWith(`${name}:`)),
        ),
      ];
      return wrong.map((error) => `${row.method} ${row.path} ${error}`);
    });

    expect(refused).to.deep.equal([]);
  });

  it('says whether a body may have members that are not named', () => {
    const routes: Json[] = Object.values(system.system.features).flatMap((feature: Json) => feature.routes ?? []);

    const wrong = routes.filter((row) => {
      const { requestBody } = document.paths[row.path.replaceAll(/:(\w+)/g, '{$1}')][row.method];
      const told = requestBody?.content['application/json']?.schema.additionalProperties;
      return row.body && told !== undefined && told !== (row.unknownBody === 'ignore');
    });

    expect(wrong.map(({ path }) => path)).to.deep.equal([]);
    expect(routes.filter((row) => row.unknownBody === 'ignore').length).to.be.above(2);
  });

  it('names the next page of every list of pages, and of nothing else', () => {
    const gets = Object.entries<Json>(document.paths).flatMap(([path, { get }]) => (get ? [{ path, get }] : []));
    const isOfPages = ({ get }: Json) =>
      get.parameters?.some(({ name }: Json) => name === 'cursor') &&
      get.responses[200].content['application/json']?.schema.type === 'array';
    const isLinked = ({ get }: Json) => get.responses[200]?.headers?.Link !== undefined;

    const lists = gets.filter(isOfPages).map(({ path }) => path);

    expect(lists).to.include.members(['/api/call_logs/', '/api/virtual_numbers/', '/api/port_orders/', '/api/users/']);
    expect(gets.filter(isLinked).map(({ path }) => path)).to.have.members([...lists, ...LISTS_BY_SEQ]);
  });

  it('names where a made thing is, what versions lead to, and each form of an answer', () => {
    const { paths } = document;
    const made = ['virtual_numbers', 'virtual_numbers/create', 'carriers', 'port_orders', 'port_orders/{id}/documents'];

    for (const path of [...made, 'users', 'accounts'])
      expect(paths[`/api/${path}/`].post.responses[201].headers, path).to.include.keys('Location');
    expect(paths['/api/virtual_numbers/{id}/'].get.responses).to.include.keys('304');
    expect(paths['/api/virtual_numbers/{id}/'].patch.responses).not.to.include.keys('304');
    expect(paths['/api/virtual_numbers/'].get.responses).not.to.include.keys('304');
    for (const path of ['bulk', 'bulk/change', 'bulk/release'])
      expect(paths[`/api/virtual_numbers/${path}/`].post.responses[200].content, path).to.have.keys(
        'application/json',
        'application/x-ndjson',
      );
    expect(paths['/api/users/me/'].get.responses).to.include.keys('403');
    expect(paths['/asyncapi.json'].get.responses[200].content).to.have.keys('application/json');
  });

  it('shows problems as they are answered', () => {
    const { example } = document.components.responses[401].content['application/problem+json'];

    expect(example).to.include({ title: 'Not authenticated', status: 401, code: 'not_authenticated' });
    expect(example.request_id).to.be.a('string');
  });

  it('says of every input rule that Joi’s own schema leaves out', () => {
    const { features } = system.system;
    const routes = Object.values(features).flatMap((feature: Json) => feature.routes ?? []);

    const unsaid = routes.flatMap((row) =>
      [row.body, row.query].filter(Boolean).flatMap((schema: Joi.Schema) => {
        return unsaidRules(schema.describe(), `${row.method} ${row.path}`);
      }),
    );

    expect(unsaid).to.deep.equal([]);
  });

  it('tells examples, the null of listed values, and what a meta schema adds, also of members', () => {
    const schema = Joi.object({
      number: Joi.any()
        .custom((value) => value)
        .meta({ schema: { type: 'string', minLength: 8 } })
        .description('E.164'),
      tags: Joi.array().items(Joi.string().example('vip')).allow(null),
      from: Joi.string(),
      end: Joi.string().valid('busy').allow(null),
    }).meta({ schema: { dependentRequired: { from: ['number'] } } });

    expect(toJsonSchema(schema)).to.deep.equal({
      type: 'object',
      properties: {
        number: { description: 'E.164', type: 'string', minLength: 8 },
        tags: { type: ['array', 'null'], items: { type: 'string', minLength: 1, examples: ['vip'] } },
        from: { type: 'string', minLength: 1 },
        end: { type: ['string', 'null'], enum: ['busy', null] },
      },
      additionalProperties: false,
      dependentRequired: { from: ['number'] },
    });
  });

  it('says so of every kind of entries', () => {
    const kinds = Joi.array().items(
      Joi.object({ end: Joi.string().valid('busy').allow(null) }),
      Joi.string().example('vip'),
    );

    expect(toJsonSchema(kinds).items).to.deep.equal({
      anyOf: [
        {
          type: 'object',
          properties: { end: { type: ['string', 'null'], enum: ['busy', null] } },
          additionalProperties: false,
        },
        { type: 'string', minLength: 1, examples: ['vip'] },
      ],
    });
  });

  it('says who may use a route, and which problems it answers', () => {
    const { paths } = describeApi({
      version: '1.0.0',
      routes: [
        route({
          ...{ method: 'patch', path: '/api/things/:id/', summary: 'Change a thing', tag: 'Things', access: 'bearer' },
          ...{ role: 'admin', scope: 'numbers:write', body: Joi.object({ name: Joi.string().required() }) },
          responses: { 200: { description: 'Changed.', schema: Joi.object({ id: Joi.string() }) } },
          handle: () => ({}),
        }),
      ],
    }) as Json;

    const operation = paths['/api/things/{id}/'].patch;
    expect(operation.operationId).to.equal('patchThingsById');
    expect(operation.description).to.equal('For the role admin and above. API keys need the scope `numbers:write`.');
    expect(operation.parameters).to.deep.equal([
      { name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } },
    ]);
    expect(operation.requestBody.content['application/json'].schema.required).to.deep.equal(['name']);
    expect(Object.keys(operation.responses)).to.deep.equal([
      '200',
      '400',
      '401',
      '403',
      '404',
      '413',
      '415',
      '429',
      '503',
    ]);
  });
});

/** What a schema finds wrong, as `member: sentence`. */
const errorsOf = (schema: Joi.Schema, value: unknown): string[] =>
  (schema.validate(value, { abortEarly: false }).error?.details ?? []).map(
    ({ path, message }) => `${path[0] ?? ''}: ${message}`,
  );

/** Documents of their own, such as this one. */
const isAnyObject = (schema: Json): boolean => Object.keys(schema).join() === 'type';

function refsIn(value: Json): string[] {
  if (value === null || typeof value !== 'object') return [];
  const here = typeof value.$ref === 'string' ? [value.$ref] : [];
  return [...here, ...Object.values(value).flatMap(refsIn)];
}

const at = (document: Json, ref: string): unknown =>
  ref
    .replace(/^#\//, '')
    .split('/')
    .reduce((place, part) => place?.[part], document);

/** Rules without a word in JSON Schema need a meta schema or a description where they stand. */
function unsaidRules(described: Json, place: string): string[] {
  const isSaid = described.flags?.description || described.metas?.some((meta: Json) => meta.schema);
  const isSilent =
    described.rules?.some(({ name }: Json) => name === 'custom') || described.whens || described.dependencies;
  const here = isSilent && !isSaid ? [place] : [];
  const members = Object.entries(described.keys ?? {}).flatMap(([name, one]) => unsaidRules(one, `${place} ${name}`));
  const items = isSaid ? [] : (described.items ?? []).flatMap((one: Json) => unsaidRules(one, `${place}[]`));
  return [...here, ...members, ...items];
}
