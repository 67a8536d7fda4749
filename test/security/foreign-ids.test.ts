import { expect } from 'chai';
import { newId } from '../../src/lib/ids.js';
import { type Answer, startSystem, type TestSystem } from '../support/system.js';
import { fingerprints, makeKey, makeWorld, type World } from './worlds.js';

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly isPublic: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: a row of the OpenAPI document
  readonly said: any;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

function operationsOf(system: TestSystem): Operation[] {
  // biome-ignore lint/suspicious/noExplicitAny: the OpenAPI document
  const document = system.system.describe() as any;
  return Object.keys(document.paths).flatMap((path) =>
    METHODS.filter((method) => document.paths[path][method]).map((method) => {
      const said = document.paths[path][method];
      return { method: method.toUpperCase(), path, said, isPublic: said.security?.length !== 1 };
    }),
  );
}

/** Bodies that would be taken if the thing were the asker's own. */
const BODIES: Readonly<Record<string, unknown>> = {
  'PATCH /api/accounts/{id}/': { name: 'taken over' },
  'PATCH /api/users/{id}/': { role: 'admin' },
  'PATCH /api/virtual_numbers/{id}/': { label: 'taken over' },
  'PATCH /api/carriers/{id}/': { name: 'taken over' },
  'PATCH /api/call_logs/{id}/': { note: 'taken over' },
  'PATCH /api/port_orders/{id}/': { losing_carrier: 'taken over' },
  'POST /api/port_orders/{id}/comments/': { text: 'taken over' },
  'POST /api/carriers/{id}/test/': undefined,
  'POST /api/inbound_webhooks/{id}/replay/': undefined,
};

function bodyOf({ method, path, said }: Operation): unknown {
  const content = said.requestBody?.content;
  if (!content) return undefined;
  if (content['multipart/form-data']) {
    const form = new FormData();
    form.set('kind', 'loa');
    form.set('file', new Blob(['%PDF-1.7\n%%EOF\n'], { type: 'application/pdf' }), 'loa.pdf');
    return form;
  }
  const body = BODIES[`${method} ${path}`];
  if (body === undefined) throw new Error(`The walk needs a body for ${method} ${path}: add it to BODIES.`);
  return body;
}

/** What an operator is for: accounts, and the port orders of all. */
const OPERATORS_OWN = /^\/api\/(accounts|port_orders)\//;

/** The same with ids of nothing, so that two answers that tell nothing are equal. */
const shape = ({ status, body }: Answer): unknown => {
  const { request_id: _, ...rest } = typeof body === 'object' && body !== null ? body : { body };
  return { status, rest };
};

describe('every operation of the OpenAPI document', () => {
  let system: TestSystem;
  let ours: World;
  let theirs: World;
  let operations: Operation[];
  let tokens: Readonly<Record<string, string>>;
  before(async function () {
    this.timeout(60_000);
    system = await startSystem();
    operations = operationsOf(system);
    [ours, theirs] = [await makeWorld(system, '+12025550100'), await makeWorld(system, '+12025550190')];
    tokens = {
      member: ours.member.token,
      admin: ours.admin.token,
      operator: (await system.createOperator()).token,
      'API key with every scope': await makeKey(system, ours.admin),
      // A colleague sees what is theirs alone.
      'member of the same account': theirs.member.token,
    };
  });
  after(() => system.stop());

  const withIds = (path: string, idOf: (name: string) => string): string =>
    path.replaceAll(
      /\/([a-z_]+)\/\{(\w+)\}/g,
      (_all, collection: string, name: string) => `/${collection}/${idOf(name === 'id' ? collection : name)}`,
    );

  it('asks for a token, unless it is a public one', async () => {
    for (const operation of operations.filter(({ isPublic }) => !isPublic)) {
      const path = withIds(operation.path, () => newId());
      const { status } = await system.ask(operation.method, path);
      expect(status, `${operation.method} ${path}`).to.equal(401);
    }
    const open = operations.filter(({ isPublic }) => isPublic).map(({ path }) => path);
    const known = /^\/(api\/token\/|livez|readyz|metrics|openapi\.json|asyncapi\.json|docs\/|webhooks\/)/;
    expect(open.filter((path) => !known.test(path))).to.deep.equal([]);
  });

  it('answers another account’s id as it answers an id of nothing, and changes nothing', async function () {
    this.timeout(120_000);
    const walked = operations.filter(({ path, isPublic }) => path.includes('{') && !isPublic);
    const before = await fingerprints(system);

    for (const operation of walked) {
      const { method, path } = operation;
      for (const [who, token] of Object.entries(tokens)) {
        if (who === 'operator' && OPERATORS_OWN.test(path)) continue;
        if (who.startsWith('member of') && path.startsWith('/api/users/{id}/')) continue;
        const told = `${method} ${path} by ${who}`;
        const foreign = withIds(path, (name) => theirs.ids[name] ?? fail(`${told}: no ${name} to ask for`));
        const answer = await system.ask(method, foreign, { token, body: bodyOf(operation) });
        expect(answer.status, told).to.be.oneOf([403, 404]);
        // Within an account a member may learn that there is something they may not see.
        if (who.startsWith('member of')) continue;
        const nothing = withIds(path, () => newId());
        const known = await system.ask(method, nothing, { token, body: bodyOf(operation) });

        expect(shape(answer), told).to.deep.equal(shape(known));
      }
    }

    expect(walked.length).to.be.above(25);
    expect(await fingerprints(system)).to.deep.equal(before);
  });

  it('lists nothing of another account, whatever it is filtered by', async function () {
    this.timeout(120_000);
    const lists = operations.filter(
      ({ method, path }) => method === 'GET' && path.startsWith('/api/') && !path.includes('{'),
    );
    const strangers = Object.entries(tokens).filter(([who]) => !who.startsWith('member of'));

    for (const { path, said } of lists) {
      for (const [who, token] of strangers) {
        if (who === 'operator' && OPERATORS_OWN.test(path)) continue;
        const mandatory = path.startsWith('/api/reports/')
          ? 'from=2020-01-01&to=2040-01-01&group_by=virtual_number&'
          : '';
        const whole = await system.ask('GET', `${path}?${mandatory}`, { token });
        for (const mark of theirs.marks) expect(JSON.stringify(whole.body), `${path} for ${who}`).to.not.include(mark);
        for (const name of foreignFilters(said)) {
          const ask = (id: string) => system.ask('GET', `${path}?${mandatory}${name}=${id}`, { token });
          for (const id of candidates(theirs, name)) {
            const [answer, known] = [await ask(id), await ask(newId())];
            expect(shape(answer), `${path}?${name} for ${who}`).to.deep.equal(shape(known));
          }
        }
      }
    }
  });

  it('is closed to members where it is for admins, and to keys without its scope', async () => {
    const key = await makeKey(system, ours.admin, ['reports:read']);
    for (const operation of operations.filter(({ isPublic }) => !isPublic)) {
      const { method, path, said } = operation;
      const told = `${method} ${path}`;
      const asked = withIds(path, () => newId());
      if (/For the role (admin|operator)/.test(said.description)) {
        const answer = await system.ask(method, asked, { token: ours.member.token });
        expect([answer.status, answer.body.code], told).to.deep.equal([403, 'permission_denied']);
      }
      if (/role operator/.test(said.description)) {
        const answer = await system.ask(method, asked, { token: ours.admin.token });
        expect([answer.status, answer.body.code], told).to.deep.equal([403, 'permission_denied']);
      }
      if (/reports:read/.test(said.description)) continue;
      const answer = await system.ask(method, asked, { token: key });
      expect(answer.status, told).to.equal(403);
    }
  });

  it('takes no members that it does not know', async () => {
    const seeds = new Set(['/api/virtual_numbers/create/', '/api/virtual_numbers/']);
    const strange = { account_id: theirs.ids.accounts, id: newId(), is_admin: true };
    const walked = operations.filter(
      ({ path, said, isPublic }) => said.requestBody?.content['application/json'] && !isPublic && !seeds.has(path),
    );
    const before = await fingerprints(system);

    for (const { method, path, said } of walked) {
      const isOperators = /role operator/.test(said.description);
      const token = isOperators ? tokens.operator : tokens.admin;
      const asked = withIds(path, (name) => ours.ids[name] ?? newId());
      const answer = await system.ask(method, asked, { token: token ?? '', body: strange });
      expect(answer.status, `${method} ${path}`).to.equal(400);
      expect(answer.body, `${method} ${path}`).to.deep.include({ is_admin: ['Unknown field.'] });
    }

    expect(walked.length).to.be.above(12);
    expect(await fingerprints(system)).to.deep.equal(before);
  });

  it('has no id in a body but those that are tried below', () => {
    const found = operations.flatMap(({ method, path, said }) =>
      idsIn(said.requestBody?.content['application/json']?.schema).map((id) => `${method} ${path} ${id}`),
    );

    expect(found.sort()).to.deep.equal([
      'PATCH /api/virtual_numbers/{id}/ carrier_id',
      'PATCH /api/virtual_numbers/{id}/ user_id',
      'POST /api/inbound_webhooks/replay/ call_log_id',
      'POST /api/inbound_webhooks/replay/ carrier_id',
      'POST /api/virtual_numbers/ carrier_id',
      'POST /api/virtual_numbers/ user_id',
      'POST /api/virtual_numbers/bulk/ carrier_id',
      'POST /api/virtual_numbers/bulk/ user_id',
      'POST /api/virtual_numbers/bulk/change/ carrier_id',
      'POST /api/virtual_numbers/bulk/change/ id',
      'POST /api/virtual_numbers/bulk/change/ user_id',
      'POST /api/virtual_numbers/bulk/release/ id',
      'POST /api/virtual_numbers/create/ carrier_id',
      'POST /api/virtual_numbers/create/ user_id',
    ]);
  });

  it('takes another account’s ids in bodies for ids of nothing', async () => {
    const { token } = ours.admin;
    const own = `/api/virtual_numbers/${ours.ids.virtual_numbers}/`;
    const foreign = { user_id: theirs.ids.users, carrier_id: theirs.ids.carriers };
    const before = await fingerprints(system);

    for (const [name, id] of Object.entries(foreign)) {
      for (const [method, path, rest] of [
        ['PATCH', own, {}],
        ['POST', '/api/virtual_numbers/', { phone_number: '+12025550177' }],
        ['POST', '/api/virtual_numbers/create/', { phone_number: '+12025550178' }],
      ] as const) {
        const ask = (value: string) => system.ask(method, path, { token, body: { ...rest, [name]: value } });
        const [answer, known] = [await ask(id ?? ''), await ask(newId())];
        expect(answer.status, `${method} ${path} ${name}`).to.equal(400);
        expect(shape(answer)).to.deep.equal(shape(known));
      }
    }
    const row = { phone_number: '+12025550179' };
    for (const [name, id] of Object.entries(foreign)) {
      const ask = (value: string) =>
        system.ask('POST', '/api/virtual_numbers/bulk/', { token, body: { numbers: [{ ...row, [name]: value }] } });
      const [answer, known] = [await ask(id ?? ''), await ask(newId())];
      expect(answer.body.results[0].status, `bulk ${name}`).to.equal('invalid');
      expect(shape(answer)).to.deep.equal(shape(known));
    }
    for (const [name, id] of Object.entries({ carrier_id: theirs.ids.carriers, call_log_id: theirs.ids.call_logs })) {
      const answer = await system.ask('POST', '/api/inbound_webhooks/replay/', { token, body: { [name]: id } });
      expect([answer.status, answer.body], `replay by ${name}`).to.deep.equal([202, { queued: 0 }]);
    }
    for (const path of ['change', 'release']) {
      const ask = (id: string) => {
        const row = path === 'change' ? { id, label: 'taken over' } : { id };
        return system.ask('POST', `/api/virtual_numbers/bulk/${path}/`, { token, body: { numbers: [row] } });
      };
      const answer = await ask(theirs.ids.virtual_numbers ?? '');
      expect(answer.body.results[0].status).to.equal('not_found');
    }
    for (const [name, id] of Object.entries(foreign)) {
      const ask = (value: string) =>
        system.ask('POST', '/api/virtual_numbers/bulk/change/', {
          ...{ token, body: { numbers: [{ id: ours.ids.virtual_numbers, [name]: value }] } },
        });
      const [answer, known] = [await ask(id ?? ''), await ask(newId())];
      expect(answer.body.results[0].status, `bulk change ${name}`).to.equal('invalid');
      expect(shape(answer)).to.deep.equal(shape(known));
    }

    expect(await fingerprints(system)).to.deep.equal(before);
  });
});

/** The names of the ids in a schema, wherever they stand. */
// biome-ignore lint/suspicious/noExplicitAny: a schema of the OpenAPI document
function idsIn(schema: any): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const here = Object.keys(schema.properties ?? {}).filter((name) => /(^|_)ids?$/.test(name));
  const below = [...Object.values(schema.properties ?? {}), schema.items, ...(schema.anyOf ?? [])];
  return [...new Set([...here, ...below.flatMap(idsIn)])];
}

/** Ids of theirs that the filter could mean. */
function candidates({ ids }: World, filter: string): string[] {
  const fitting = Object.keys(ids).filter((collection) => filter.endsWith(collection.replace(/s$/, '_id')));
  return (fitting.length > 0 ? fitting : Object.keys(ids)).map((collection) => ids[collection] ?? '');
}

function fail(message: string): never {
  throw new Error(message);
}

// biome-ignore lint/suspicious/noExplicitAny: a row of the OpenAPI document
const foreignFilters = (said: any): string[] =>
  (said.parameters ?? [])
    .filter((parameter: { in: string; name: string }) => parameter.in === 'query' && /_id$/.test(parameter.name))
    .map(({ name }: { name: string }) => name)
    .filter((name: string) => name !== 'account_id');
