/**
 * `switchboard import-webhooks`: webhooks that a provider left behind in files, on the same path as those that are
 * delivered, with the same delivery keys, so that what came already is not counted twice. No signature is checked:
 * whoever can read the files and the database vouches for them.
 */
import type { Clock } from '../../lib/clock.js';
import { AppError, notFound } from '../../lib/errors.js';
import type { CarrierLine, Carriers } from '../carriers/index.js';
import { IMPORTED } from './inbound-webhook.js';
import type { InboxBatcher } from './inbox-batcher.js';
import { newWebhook } from './ingestion.service.js';

/** A saved webhook, as it was or would have been delivered. */
export interface SavedWebhook {
  /** Where it was found, for people. */
  readonly name: string;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  /** Below the carrier's webhook URL, with the query; it is part of the delivery key where the provider tells none. */
  readonly path: string;
  /** ms since 1970. */
  readonly receivedAt: number;
}

export interface ImportResult {
  readonly stored: number;
  /** Their delivery is here already. */
  readonly known: number;
  readonly unreadable: readonly string[];
}

export interface ImportDeps {
  readonly carriers: Carriers;
  readonly batcher: InboxBatcher;
  readonly clock: Clock;
}

const AT_ONCE = 200;

/** @throws AppError 404: no such carrier */
export async function importWebhooks(
  deps: ImportDeps,
  carrierId: string,
  saved: AsyncIterable<SavedWebhook> | Iterable<SavedWebhook>,
): Promise<ImportResult> {
  const line = await deps.carriers.lookUp(carrierId);
  if (!line) throw notFound('No such carrier.');
  let [stored, known] = [0, 0];
  const unreadable: string[] = [];
  const store = async (batch: readonly SavedWebhook[]): Promise<void> => {
    for (const isNew of await Promise.all(batch.map((one) => storeOne(deps, line, one)))) {
      if (isNew) stored += 1;
      else known += 1;
    }
  };
  let batch: SavedWebhook[] = [];
  for await (const one of saved) {
    if (read(line, one) === null) unreadable.push(one.name);
    else batch.push(one);
    if (batch.length < AT_ONCE) continue;
    await store(batch);
    batch = [];
  }
  await store(batch);
  return { stored, known, unreadable };
}

const requestOf = (line: CarrierLine, { headers, body, path }: SavedWebhook) => {
  const whole = `/webhooks/${line.id}${path === '' || path.startsWith('?') ? '/' : ''}${path}`;
  return { method: IMPORTED, url: whole, path: whole, headers, body };
};

const read = (line: CarrierLine, saved: SavedWebhook) => line.adapter.read(requestOf(line, saved));

async function storeOne({ batcher, clock }: ImportDeps, line: CarrierLine, saved: SavedWebhook): Promise<boolean> {
  const content = read(line, saved);
  if (content === null) throw new AppError('invalid', 'unreadable', `${saved.name} cannot be read.`);
  // An arrival that has not been yet would make every told time look early.
  const receivedAt = Math.min(saved.receivedAt, clock.now());
  const { isNew } = await batcher.store(newWebhook(line, requestOf(line, saved), content, receivedAt));
  return isNew;
}
