import { expect } from 'chai';
import type { CallFacts } from '../../../src/features/calls/call-facts.js';
import type { CallRecord } from '../../../src/features/calls/calls.repository.js';
import { writeCalls } from '../../../src/features/calls/calls.repository.js';
import { newId } from '../../../src/lib/ids.js';
import { runTogether } from '../../../src/platform/db/statement.js';
import { type Door, openDoor } from '../../support/door.js';
import { callRow } from './call-rows.js';

const AWKWARD = ['100 %', '%s', '%1$s %%', 'a\\b "c" {d,e}', 'null', '', 'Grüße 📞', "it's", 'line\nbreak'];

describe('how call logs are written', () => {
  let door: Door;

  before(async () => {
    door = await openDoor(() => []);
  });
  after(() => door.close());

  const entry = (inbound_webhook_id: string | null) => ({
    ...{ type: 'call.ended', occurred_at: '2026-03-01T00:00:00.000Z', received_at: '2026-03-01T00:00:01.000Z' },
    inbound_webhook_id,
  });

  const recordOf = (accountId: string, more: Partial<Record<keyof CallRecord, unknown>>): CallRecord =>
    ({
      ...callRow({ account_id: accountId, started_at: new Date(Date.UTC(2026, 2, 1)) }),
      ...{ session_id: null, parent_carrier_call_id: null, facts: {}, timeline: [] },
      ...more,
    }) as unknown as CallRecord;

  async function write(records: readonly CallRecord[], told?: Parameters<typeof writeCalls>[1]) {
    const { db } = door.platform;
    await db.transaction((tx) => runTogether(tx, writeCalls(records, told)));
    const stored = await db('call_logs').whereIn(
      'id',
      records.map(({ id }) => id),
    );
    const rows = new Map(stored.map((row) => [row.id, row]));
    return records.map(({ id }) => rows.get(id));
  }

  it('keeps tags, facts and timelines as they are, whatever stands in them', async () => {
    const accountId = await door.makeAccount();
    const records = AWKWARD.map((text, place) =>
      recordOf(accountId, {
        tags: [text, 'second'],
        facts: { note: text, place } as unknown as CallFacts,
        timeline: [{ seq: place, ...entry(text) }],
      }),
    );

    const rows = await write(records);

    const shown = rows.map(({ tags, facts, timeline }) => ({ tags, facts, timeline }));
    expect(shown).to.deep.equal(records.map(({ tags, facts, timeline }) => ({ tags, facts, timeline })));
  });

  it('gives each record what is its own, in whatever order of accounts and times they come', async () => {
    const accounts = [await door.makeAccount(), await door.makeAccount()];
    const records = Array.from({ length: 20 }, (_, place) =>
      recordOf(String(accounts[place % 2]), {
        started_at: new Date(Date.UTC(2026, 2, 1 + ((place * 7) % 20))),
        facts: { place, padding: 'ü'.repeat(place) } as unknown as CallFacts,
        tags: [`tag-${place}`],
      }),
    );

    const rows = await write(records);

    expect(rows.map((row) => [row.facts.place, row.tags, row.started_at.getUTCDate()])).to.deep.equal(
      Array.from({ length: 20 }, (_, place) => [place, [`tag-${place}`], 1 + ((place * 7) % 20)]),
    );
  });

  it('adds what is told after what was there, each entry under its own seq in the account’s log', async () => {
    const { db } = door.platform;
    const accountId = await door.makeAccount();
    const seqs = { newest: 1000 };
    await db('account_counters').where({ account_id: accountId }).update({ seq: seqs.newest });
    const before = { seq: 7, ...entry('100 %') };
    const first = recordOf(accountId, { timeline: [before] });
    const second = recordOf(accountId, {});
    const silent = recordOf(accountId, { timeline: [before] });
    const [a, b, c] = [newId(), newId(), newId()];
    const told = new Map([
      [
        first.id,
        [
          { behind: 4, ...entry(a) },
          { behind: 0, ...entry(null) },
        ],
      ],
      [
        second.id,
        [
          { behind: 3, ...entry(b) },
          { behind: 2, ...entry('%s') },
          { behind: 1, ...entry(c) },
        ],
      ],
    ]);

    const rows = await write([first, second, silent], told);

    expect(rows.map(({ timeline }) => timeline)).to.deep.equal([
      [before, { seq: 996, ...entry(a) }, { seq: 1000, ...entry(null) }],
      [
        { seq: 997, ...entry(b) },
        { seq: 998, ...entry('%s') },
        { seq: 999, ...entry(c) },
      ],
      [before],
    ]);
  });

  it('leaves to a call log that is there what people wrote on it', async () => {
    const accountId = await door.makeAccount();
    const record = recordOf(accountId, { tags: ['kept'], note: 'kept' });
    await write([record]);

    const [row] = await write([{ ...record, tags: ['other'], note: 'other', duration: 5 }]);

    expect([row.tags, row.note, row.duration]).to.deep.equal([['kept'], 'kept', 5]);
  });
});
