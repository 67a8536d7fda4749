import { expect } from 'chai';
import { newId } from '../../src/lib/ids.js';
import { type Person, startSystem, type TestSystem } from '../support/system.js';

const cursorOf = (list: string, time: string): string =>
  Buffer.from(JSON.stringify([1, list, time, newId()])).toString('base64url');

describe('times that no calendar has, or PostgreSQL’s has not', () => {
  let system: TestSystem;
  let admin: Person;
  before(async () => {
    system = await startSystem();
    admin = await system.createAdmin();
  });
  after(() => system.stop());

  const FILTERS = [
    ['/api/call_logs/', 'started_after'],
    ['/api/call_logs/', 'started_before'],
    ['/api/call_logs/export/', 'started_after'],
    ['/api/reports/calls/', 'from'],
    ['/api/reports/calls/', 'to'],
    ['/api/inbound_webhooks/', 'received_after'],
    ['/api/inbound_webhooks/', 'received_before'],
    ['/api/audit_log/', 'created_after'],
  ] as const;
  const get = (path: string, query: Readonly<Record<string, string>>) =>
    system.ask('GET', `${path}?${new URLSearchParams(query)}`, { token: admin.token });

  for (const [path, name] of FILTERS) {
    it(`are refused as ${name} of ${path}, and the first and the last ones there are not`, async () => {
      for (const time of ['0000-01-01', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59-01:00', '2026-02-30']) {
        const { status, body } = await get(path, { [name]: time });
        expect(status, time).to.equal(400);
        expect(body[name], time).to.deep.equal(['Not a valid time (ISO 8601).']);
      }
      for (const time of ['0001-01-01', '9999-12-31T23:59:59Z']) {
        expect((await get(path, { [name]: time })).status, time).to.equal(200);
      }
    });
  }

  it('are the ends of all time where the zone of a report makes them such', async () => {
    for (const timezone of ['Pacific/Auckland', 'America/New_York']) {
      const { status } = await get('/api/reports/calls/', { from: '0001-01-01', to: '9999-12-31', timezone });
      expect(status, timezone).to.equal(200);
      const late = await get('/api/reports/calls/', { from: '0001-01-01', to: '9999-12-31T23:59:59', timezone });
      expect(late.status, timezone).to.equal(200);
    }
  });

  it('are refused in cursors', async () => {
    for (const list of ['call_logs', 'inbound_webhooks']) {
      for (const time of ['0000-12-01T03:12:36.433Z', '2026-02-30T03:12:36.433Z', '+275760-09-13T00:00:00.000Z', '1']) {
        const { status, body } = await get(`/api/${list}/`, { cursor: cursorOf(list, time) });
        expect(status, time).to.equal(400);
        expect(body.cursor, time).to.deep.equal(['Not a valid cursor.']);
      }
      const right = await get(`/api/${list}/`, { cursor: cursorOf(list, '2026-02-28T03:12:36.433Z') });
      expect(right.status).to.equal(200);
    }
  });
});
