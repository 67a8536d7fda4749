/** Lines of any provider on the ingestion core, drained by hand, and what came of what was told on them. */
import type { CarrierLine } from '../../../src/features/carriers/index.js';
import { newId } from '../../../src/lib/ids.js';
import { makeAccount, makeNumber, openInboxes } from './inbox-bench.js';

export async function openWorld(numbers: readonly string[], heldFrom: number) {
  const opened = await openInboxes(2);
  const { db } = opened.first;
  const accountId = await makeAccount(db);
  for (const number of numbers) await makeNumber(db, accountId, number, heldFrom);
  return { ...opened, db, accountId };
}

export type World = Awaited<ReturnType<typeof openWorld>>;

export async function openLines(world: World, provider: string, count: number): Promise<CarrierLine[]> {
  const { db, first, accountId } = world;
  const ids = Array.from({ length: count }, () => newId());
  const at = new Date(0);
  await db('carriers').insert(
    ids.map((id) => ({
      ...{ id, account_id: accountId, provider, name: id, credential_names: [], created_at: at, updated_at: at },
      credentials: first.platform.secrets.seal('{}', `carriers.credentials:${id}`),
    })),
  );
  return Promise.all(ids.map(async (id) => (await first.carriers.lookUp(id)) as CarrierLine));
}

/** The call logs of a line: all but ids and when they were written. */
export async function recordsOf({ db }: World, line: CarrierLine): Promise<Record<string, unknown>[]> {
  const rows = await db('call_logs').where({ carrier_id: line.id }).orderBy('carrier_call_id');
  const nameOf = new Map(rows.map((row) => [row.id, row.carrier_call_id]));
  return rows.map(({ id, carrier_id, parent_call_log_id, facts, timeline, updated_at, last_news_at, ...rest }) => ({
    ...rest,
    parent: nameOf.get(parent_call_log_id) ?? null,
    told: (timeline as { type: string }[])
      .map(({ type }) => type)
      .filter((type) => type !== 'call.updated')
      .sort(),
  }));
}
