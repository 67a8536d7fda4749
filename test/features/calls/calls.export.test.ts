import { expect } from 'chai';
import { parse } from 'csv-parse/sync';
import { csvCell, exportCalls } from '../../../src/features/calls/calls.export.js';
import { CALL_FIELDS } from '../../../src/features/calls/calls.present.js';
import { createCalls } from '../../../src/features/calls/index.js';
import { createEventLog } from '../../../src/features/events/index.js';
import { newId } from '../../../src/lib/ids.js';
import { type Door, makeActor, openDoor } from '../../support/door.js';
import { callRow, insertCalls } from './call-rows.js';

describe('export of call logs', () => {
  let door: Door;

  before(async () => {
    door = await openDoor((platform) => {
      const eventLog = createEventLog(platform.db, platform.wakeups);
      return [...createCalls(platform, { eventLog }).routes];
    });
  });
  after(() => door.close());

  async function accountWith(count: number, seed: Readonly<Record<string, unknown>> = {}) {
    const accountId = await door.makeAccount();
    const rows = Array.from({ length: count }, (_, i) =>
      callRow({ account_id: accountId, started_at: new Date(Date.UTC(2026, 9, 25) + i * 60_000), ...seed }),
    );
    await insertCalls(door.platform.db, rows);
    return { rows, accountId, api: door.as(makeActor({ accountId })) };
  }

  it('writes every member of the list as CSV, with CRLF and a header', async () => {
    const { api, rows } = await accountWith(3, { price: '0.00750', currency: 'USD', tags: ['a', 'b'] });

    const answer = await api.get('/api/call_logs/export/?format=csv');
    const listed = await api.get('/api/call_logs/');

    expect(answer.headers.get('content-type')).to.equal('text/csv; charset=utf-8');
    expect(answer.headers.get('content-disposition')).to.equal('attachment; filename="call_logs.csv"');
    expect(answer.headers.get('x-total-count')).to.equal('3');
    expect(answer.text.split('\r\n')[0]).to.equal(CALL_FIELDS.join(','));
    expect(Object.keys(listed.body[0])).to.deep.equal([...CALL_FIELDS]);
    const cells = parse(answer.text, { columns: true }) as Record<string, string>[];
    expect(cells).to.have.lengthOf(rows.length);
    for (const [i, call] of listed.body.entries()) {
      for (const name of CALL_FIELDS) {
        const value = name === 'tags' ? 'a;b' : String(call[name] ?? '');
        expect(cells[i]?.[name], name).to.equal(value);
      }
    }
  });

  it('makes a text of whatever a spreadsheet would run, and of nothing else', () => {
    const safe = ['', 'plain', '+4915112345678', '+123', '-5', '+5', '12.50', '-0.0075', 'a=b', ' =1', "'x", '1-2'];
    const unsafe = ['=1+1', '+1+1', '-1+1', '@SUM(A1)', '\t=1', '\r=1', '+49 151 1', '-', '+', '=', '-1e5', '+49\n=1'];

    expect(safe.map(csvCell)).to.deep.equal(safe);
    expect(unsafe.map(csvCell)).to.deep.equal(unsafe.map((cell) => `'${cell}`));
    expect(csvCell(null)).to.equal('');
    expect(csvCell(['=a', 'b'])).to.equal(`'=a;b`);
    expect(csvCell(0)).to.equal('0');
  });

  it('carries whatever people wrote through CSV unharmed', async () => {
    const { api, accountId } = await accountWith(0);
    const notes = ['a "quoted", note', 'two\nlines', 'a lone \r return', 'Grüße 📞', ' spaces ', 'semi;colon', ''];
    const rows = notes.map((note) => callRow({ account_id: accountId, started_at: new Date(), note: note || null }));
    await insertCalls(door.platform.db, rows);

    const answer = await api.get('/api/call_logs/export/?columns=id,note');

    const cells = parse(answer.text, { columns: true }) as { id: string; note: string }[];
    const byId = new Map(cells.map(({ id, note }) => [id, note]));
    expect(rows.map((row) => byId.get(row.id))).to.deep.equal(notes);
  });

  it('writes the columns that are asked for, in their order, in both formats', async () => {
    const { api, rows } = await accountWith(1);

    const csv = await api.get('/api/call_logs/export/?columns=duration,id,tags');
    const ndjson = await api.get('/api/call_logs/export/?format=ndjson&columns=duration,id,tags');

    expect(csv.text).to.equal(`duration,id,tags\r\n0,${rows[0]?.id},\r\n`);
    expect(ndjson.text).to.equal(`{"duration":0,"id":"${rows[0]?.id}","tags":[]}\n`);
    expect(ndjson.headers.get('content-type')).to.equal('application/x-ndjson; charset=utf-8');
  });

  it('shows the clocks of a zone over the hour that comes twice', async () => {
    const { api } = await accountWith(91);

    const answer = await api.get('/api/call_logs/export/?format=ndjson&timezone=Europe/Berlin');

    const times = answer.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).started_at as string);
    expect(times.at(-1)).to.equal('2026-10-25T02:00:00.000+02:00');
    expect(times.at(-61)).to.equal('2026-10-25T02:00:00.000+01:00');
    expect(times[0]).to.equal('2026-10-25T02:30:00.000+01:00');
  });

  it('goes on behind the last row that arrived, without a header', async () => {
    const { api, rows } = await accountWith(1200);
    const whole = (await api.get('/api/call_logs/export/?columns=id')).text;
    const lines = whole.split('\r\n').slice(1, -1);

    const rest = await api.get(`/api/call_logs/export/?columns=id&cursor=${lines[699]}`);

    expect(lines).to.deep.equal(rows.map((row) => row.id).reverse());
    expect(rest.headers.get('x-total-count')).to.equal('500');
    expect(rest.text).to.equal(whole.slice(whole.indexOf(lines[700] as string)));
  });

  const malformed = [
    'format=xml',
    'timezone=Berlin',
    'timezone=%2B01:00',
    'columns=id,secret',
    'columns=',
    'cursor=x',
    `cursor=${newId()}`,
    'direction=up',
    'limit=5',
  ];
  for (const query of malformed) {
    it(`answers 400 to ${query.replace(/[0-9a-f-]{36}/, 'an unknown id')}`, async () => {
      const { api } = await accountWith(0);

      const answer = await api.get(`/api/call_logs/export/?${query}`);

      expect(answer.status).to.equal(400);
      expect(answer.body[query.split('=')[0] ?? '']).to.be.an('array');
    });
  }

  it('says of a cursor that it is closed to who asks, or cannot be looked up, not that it is wrong', async () => {
    const { accountId, rows } = await accountWith(1, { user_id: newId() });
    const member = door.as(makeActor({ accountId, role: 'member' }));
    const away = await openDoor((platform) => {
      const refuse = () => Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
      const db = new Proxy(platform.db, {
        get: (target, name) => (name === 'raw' ? refuse : Reflect.get(target, name)),
      });
      return [...createCalls({ ...platform, db }, { eventLog: createEventLog(db, platform.wakeups) }).routes];
    });

    const closed = await member.get(`/api/call_logs/export/?cursor=${rows[0]?.id}`);
    const unanswered = await away.as(makeActor({})).get(`/api/call_logs/export/?cursor=${newId()}`);

    expect([closed.status, unanswered.status]).to.deep.equal([403, 503]);
    await away.close();
  });

  it('stops asking the database when the client leaves', async () => {
    const { accountId } = await accountWith(2600);
    let asked = 0;
    const db = new Proxy(door.platform.db, {
      get: (target, name) => {
        if (name === 'raw') asked += 1;
        return Reflect.get(target, name);
      },
    });
    const left = new AbortController();
    const visibility = { accountId, userId: null };
    const spellTime = (at: string) => at;
    const lines = exportCalls(db, {
      visibility,
      filters: {},
      after: null,
      format: 'ndjson',
      spellTime,
      signal: left.signal,
      inTurn: (look) => look(),
    });

    await lines.next();
    left.abort();
    for await (const _line of lines);

    expect(asked).to.equal(2);
  });

  it('looks for each batch when it is the account’s turn', async () => {
    const { accountId } = await accountWith(450);
    const waiting: (() => void)[] = [];
    let looks = 0;
    const lines = exportCalls(door.platform.db, {
      ...{ visibility: { accountId, userId: null }, filters: {}, after: null, format: 'ndjson' },
      ...{ spellTime: (at) => at, signal: new AbortController().signal },
      async inTurn(look) {
        await new Promise<void>((go) => waiting.push(go));
        looks += 1;
        return look();
      },
    });
    const letOne = async () => {
      while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
      waiting.shift()?.();
    };

    const first = lines.next();
    await new Promise((resolve) => setImmediate(resolve));
    expect(looks).to.equal(0);
    await letOne();
    await first;
    expect(looks).to.equal(1);
    const rest = (async () => {
      for await (const _line of lines);
    })();
    await letOne();
    await letOne();
    await rest;
    expect([looks, waiting.length]).to.deep.equal([3, 0]);
  });

  it('ends the stream when its reader goes away in the middle', async () => {
    const { api } = await accountWith(3000, { note: 'x'.repeat(5000) });
    const left = new AbortController();

    const response = await api.fetch('/api/call_logs/export/?format=ndjson', { signal: left.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    left.abort();

    expect((await api.get('/api/call_logs/?limit=1')).status).to.equal(200);
  });

  it('asks for calls:read, and for a token', async () => {
    const { accountId } = await accountWith(1);
    const key = door.as(makeActor({ accountId, keyWith: ['reports:read'] }));

    expect((await key.get('/api/call_logs/export/')).status).to.equal(403);
    expect((await door.stranger.get('/api/call_logs/export/')).status).to.equal(401);
  });
});
