import { expect } from 'chai';
import { makeWorld, type World } from '../security/worlds.js';
import { type AnswerCheck, createAnswerCheck } from '../support/answer-check.js';
import { type Answer, type Ask, startSystem, type TestSystem } from '../support/system.js';

// biome-ignore lint/suspicious/noExplicitAny: a document is looked into at many places
type Json = any;

const REPORT = '?from=2020-01-01&to=2040-01-01&group_by=virtual_number';

describe('an answer', () => {
  let system: TestSystem;
  let world: World;
  let document: Json;
  let differs: AnswerCheck;
  before(async function () {
    this.timeout(120_000);
    system = await startSystem();
    document = system.system.describe();
    differs = createAnswerCheck(document);
    world = await makeWorld(system, '+12025550144');
  });
  after(() => system.stop());

  it('to every reading operation is what the OpenAPI document says of it', async function () {
    this.timeout(120_000);
    const operator = await system.createOperator();
    const readings = Object.keys(document.paths).filter((path) => document.paths[path].get && path.startsWith('/api/'));

    const differences: string[] = [];
    for (const path of readings) {
      const isOperators = /role operator/.test(document.paths[path].get.description);
      const { token } = isOperators ? operator : world.admin;
      const asked = withIds(path) + (path.startsWith('/api/reports/') ? REPORT : '');
      const answer = await system.ask('GET', asked, { token });
      expect(answer.status, asked).to.equal(200);
      const difference = differenceOf('GET', asked, answer);
      if (difference !== null) differences.push(difference);
    }

    expect(differences, differences.join('\n')).to.deep.equal([]);
    expect(readings.length).to.be.above(25);
  });

  it('of an export is of a type that the OpenAPI document has, whichever is asked for', async () => {
    const { token } = world.admin;

    for (const format of ['csv', 'ndjson']) {
      const path = `/api/call_logs/export/?format=${format}`;
      const answer = await system.ask('GET', path, { token });

      expect(differenceOf('GET', path, answer), format).to.equal(null);
    }
  });

  it('to a request that is refused is what the OpenAPI document says of it', async () => {
    const { token } = world.admin;
    const refusals: readonly (readonly [string, string, Ask, number])[] = [
      ['POST', '/api/token/', { body: { username: 'nobody', password: 'wrong' } }, 401],
      ['POST', '/api/token/', { body: {} }, 400],
      ['GET', '/api/call_logs/', {}, 401],
      ['GET', '/api/accounts/', { token }, 403],
      ['GET', '/api/call_logs/?direction=sideways', { token }, 400],
      ['GET', '/api/call_logs/?status=gone', { token }, 400],
      ['GET', '/api/inbound_webhooks/?status=gone&code=%40', { token }, 400],
      ['GET', '/api/call_events/?type=call.ended&title=1&detail=1&request_id=1', { token }, 400],
      ['GET', '/api/call_events/?after=999999999', { token }, 410],
      ['PATCH', `/api/port_orders/${world.ids.port_orders}/`, { token, body: { status: 'ported' } }, 409],
      ['PATCH', `/api/users/${world.admin.userId}/`, { token, body: { role: 'member' } }, 409],
      ['POST', '/api/virtual_numbers/', { token, body: 'text', headers: { 'content-type': 'text/plain' } }, 415],
    ];

    for (const [method, path, ask, status] of refusals) {
      const answer = await system.ask(method, path, ask);
      expect(answer.status, path).to.equal(status);
      expect(differenceOf(method, path, answer), path).to.equal(null);
    }
  });

  it('that has a member more than the OpenAPI document is found', () => {
    const told = { method: 'GET', path: '/api/users/me/', status: 200, mediaType: 'application/json' };

    expect(differs({ ...told, body: { ...userExample(), is_new: true } })).to.include('is_new');
    expect(differs({ ...told, body: userExample() })).to.equal(null);
  });

  it('is shown by examples that are what their schemas say', () => {
    const wrong = Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
      Object.entries<Json>(methods).flatMap(([method, { responses }]) =>
        Object.entries<Json>(responses).flatMap(([status, { content }]) =>
          Object.entries<Json>(content ?? {})
            .filter(([, { example }]) => example !== undefined)
            .map(([mediaType, { example: body }]) =>
              differs({ method: method.toUpperCase(), path, status: Number(status), mediaType, body }),
            ),
        ),
      ),
    );

    expect(wrong.filter(Boolean)).to.deep.equal([]);
  });

  const userExample = (): Json =>
    document.paths['/api/users/me/'].get.responses[200].content['application/json'].example;

  const withIds = (path: string): string =>
    path.replaceAll(/\/([a-z_]+)\/\{(\w+)\}/g, (_all, collection: string, name: string) => {
      return `/${collection}/${world.ids[name === 'id' ? collection : name]}`;
    });

  function differenceOf(method: string, path: string, { status, headers, body }: Answer): string | null {
    const [mediaType = ''] = (headers.get('content-type') ?? '').split(';', 1);
    return differs({ method, path, status, mediaType, body });
  }
});
