/** Writes the calls: a few thousand a statement, and no event for any of them. */
import type { Knex } from 'knex';
import { writeCalls } from '../features/calls/index.js';
import { runTogether } from '../platform/db/statement.js';
import { createRandom } from '../simulator/random.js';
import { createCalendar } from './calendar.js';
import type { Options } from './options.js';
import { inventPeople } from './people.js';
import { createRecordMaker } from './records.js';
import type { Scene } from './scene.js';
import { createStoryteller, type Leg } from './stories.js';

const BATCH = 2000;
const DAY = 86_400_000;
/** What is told of calls may still come: none of them is this young. */
const LATEST_MS = 900_000;

export interface FillDeps {
  readonly db: Knex;
  readonly now: number;
  /** Sets these calls apart from those of other runs. */
  readonly run: string;
  progress(written: number): void;
}

/** Answers how many legs were written. */
export async function fillAccount(scene: Scene, options: Options, deps: FillDeps): Promise<number> {
  const { db, now, run, progress } = deps;
  const records = createRecordMaker(scene.accountId, run);
  let written = 0;
  for (const legs of batches(storyOf(scene, options, now))) {
    await db.transaction(async (tx) => {
      // A crash loses demo data at worst.
      await tx.raw('set local synchronous_commit = off');
      const events = legs.reduce((sum, leg) => sum + records.count(leg), 0);
      let seq = await reserveSeqs(tx, scene.accountId, events);
      const rows = legs.map((leg) => {
        const record = records.make(leg, seq);
        if (seq !== null) seq += records.count(leg);
        return record;
      });
      await runTogether(tx, writeCalls(rows));
    });
    written += legs.length;
    progress(written);
  }
  await db.raw('analyze call_logs');
  return written;
}

/** As many legs as were asked for, forwarded ones and second tries among them: about one in eight. */
function* storyOf(scene: Scene, options: Options, now: number): Generator<Leg> {
  const random = createRandom('demo', options.seed, options.calls);
  const until = now - LATEST_MS;
  const { timeZone, calls, days } = options;
  const calendar = createCalendar({ from: now - days * DAY, until, timeZone, random });
  const people = inventPeople(random, calls);
  const storyteller = createStoryteller({ random, people, numbers: scene.numbers, until });
  let left = calls;
  for (const moment of calendar.moments(Math.floor(calls * 0.85))) {
    for (const leg of storyteller.tell(moment).slice(0, left)) {
      left -= 1;
      yield leg;
    }
  }
  while (left > 0) {
    for (const moment of calendar.moments(left)) {
      const [call] = storyteller.tell(moment);
      if (!call) continue;
      left -= 1;
      yield call;
    }
  }
}

function* batches(legs: Iterable<Leg>): Generator<Leg[]> {
  let batch: Leg[] = [];
  for (const leg of legs) {
    batch.push(leg);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/**
 * Places in the account's event log for the timelines, as if the events had been deleted for their age; null where
 * there are events still kept, which must not be left out of sight.
 */
async function reserveSeqs(tx: Knex, accountId: string, count: number): Promise<number | null> {
  const { rows } = await tx.raw<{ rows: { first: number }[] }>(
    `update account_counters k set seq = k.seq + :count, pruned_seq = k.seq + :count
     where k.account_id = :accountId
       and not exists (select 1 from events e where e.account_id = :accountId and e.seq > k.pruned_seq and e.type like 'call.%')
     returning k.seq - :count + 1 as first`,
    { accountId, count },
  );
  return rows[0]?.first ?? null;
}
