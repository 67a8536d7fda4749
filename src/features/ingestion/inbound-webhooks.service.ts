/** What people see of the inbox, and how they have webhooks processed again. */
import type { Knex } from 'knex';
import { type Actor, hasRole } from '../../http/actor.js';
import { type Page, toPage } from '../../http/pagination.js';
import type { Clock } from '../../lib/clock.js';
import type { Carriers } from '../carriers/index.js';
import {
  type CausedEvent,
  countWebhooks,
  findCausedEvents,
  findWebhook,
  groupWebhooks,
  listWebhooks,
  type WebhookGroup,
  type WebhookInFull,
  type WebhookPlace,
  type WebhookRow,
  type WebhookScope,
} from './inbound-webhooks.queries.js';
import { queueAgain } from './inbox.repository.js';
import { webhookNotFound } from './ingestion.errors.js';
import { type Understood, understandWebhook } from './understand.js';
import type { WebhookFilters } from './webhook-filters.js';
import { askForReplay, continueReplays } from './webhook-replays.js';

export interface InboundWebhooksDeps {
  readonly db: Knex;
  readonly clock: Clock;
  readonly carriers: Carriers;
  /** Writes the repeated deliveries that this process has counted and not written yet. */
  countDeliveries(): Promise<void>;
  poke(): void;
}

export interface InspectedWebhook {
  readonly webhook: WebhookInFull;
  /** What the adapter reads from it now. */
  readonly understood: Understood;
  readonly events: readonly CausedEvent[];
}

export interface WebhookListWish {
  readonly filters: WebhookFilters;
  readonly after: WebhookPlace | null;
  readonly limit: number;
}

export interface InboundWebhooksService {
  list(actor: Actor, wish: WebhookListWish): Promise<Page<WebhookRow>>;
  /** @throws AppError 404 */
  inspect(actor: Actor, id: string): Promise<InspectedWebhook>;
  summarise(actor: Actor, filters: WebhookFilters): Promise<readonly WebhookGroup[]>;
  /** @throws AppError 404 */
  replay(actor: Actor, id: string): Promise<number>;
  /** Each of the filters must hold; answers how many are to be processed again. */
  replayAll(actor: Actor, filters: readonly WebhookFilters[]): Promise<number>;
}

/** What did not become a part of a call. */
const UNUSED = ['waiting', 'ignored', 'failed'] as const;

const scopeOf = (actor: Actor): WebhookScope => ({
  accountId: actor.accountId,
  withNobodys: hasRole(actor, 'operator'),
});

export function createInboundWebhooksService(deps: InboundWebhooksDeps): InboundWebhooksService {
  const { db, clock, carriers } = deps;

  async function get(actor: Actor, id: string): Promise<WebhookInFull> {
    const webhook = await findWebhook(db, scopeOf(actor), id);
    if (!webhook) throw webhookNotFound();
    return webhook;
  }

  return {
    async list(actor, { filters, after, limit }) {
      await deps.countDeliveries();
      const rows = await listWebhooks(db, { scope: scopeOf(actor), filters: [filters], after, limit: limit + 1 });
      return toPage(rows, limit, (row) => [row.received_at.toISOString(), row.id]);
    },
    async inspect(actor, id) {
      await deps.countDeliveries();
      const webhook = await get(actor, id);
      const understood = await understandNow(carriers, webhook);
      const legs = understood.kind === 'reports' ? understood.signals.map(({ callId }) => callId) : [];
      return { webhook, understood, events: await findCausedEvents(db, actor.accountId, webhook, legs) };
    },
    summarise: (actor, filters) =>
      groupWebhooks(db, {
        scope: scopeOf(actor),
        filters: [filters.status ? filters : { ...filters, status: UNUSED }],
      }),
    async replay(actor, id) {
      await get(actor, id);
      const queued = await queueAgain(db, [id]);
      deps.poke();
      return queued;
    },
    async replayAll(actor, filters) {
      const scope = scopeOf(actor);
      // What comes from now on is not meant, and the place before which the replay begins is a whole millisecond.
      const before = new Date(clock.now() + 1);
      const search = { scope, filters: [...filters, { received_before: before }], after: null };
      const queued = await countWebhooks(db, search);
      if (queued === 0) return 0;
      await askForReplay(db, scope, filters, before);
      await continueReplays(db);
      deps.poke();
      return queued;
    },
  };
}

/** An adapter that throws on it says so here as well; nothing of it is hidden from who looks for the fault. */
async function understandNow(carriers: Carriers, webhook: WebhookInFull): Promise<Understood> {
  const line = await carriers.lookUpKept(webhook.carrier_id);
  const failed = (code: string, detail: string): Understood => ({ kind: 'failed', eventType: null, code, detail });
  if (!line) return failed('unknown_carrier', 'The carrier is not known any more.');
  try {
    return understandWebhook(webhook, line);
  } catch {
    return failed('not_understood', 'The adapter failed on this webhook.');
  }
}
