/**
 * Group commit of accepted webhooks, without an added wait: a statement takes what has gathered while the one before it
 * ran. Two statements may be under way; what cannot be stored in time is refused, so that nothing waits without bound.
 *
 * With a worker in this process there are three gaits. Few are stored and worked off by one transaction, and what comes
 * meanwhile waits for the next one; a crowd is stored beside the worker, which works it off after that; and while the
 * worker is behind, more is gathered for a statement, for a short time.
 */
import type { Knex } from 'knex';
import { AppError } from '../../lib/errors.js';
import type { NewWebhook } from './inbound-webhook.js';
import { insertWebhooks } from './inbox-inserts.js';
import { createRecentDeliveries, deliveryOf } from './recent-deliveries.js';

const MOST_IN_A_STATEMENT = 200;
const MOST_BYTES_IN_A_STATEMENT = 4_194_304;
const STATEMENTS_AT_ONCE = 2;
/** A second statement is worth its cost only for a crowd: fewer go with the next one. */
const CROWD = 32;
/**
 * While the worker is behind, a webhook stored sooner is not worked off sooner, and a statement with its commit costs
 * about the same whatever it stores: so many share one, or fewer when the first has waited so long.
 */
const GATHERED = { most: 56, ms: 10 };
const MOST_WAITING = 5000;
/** More at once are stored first, so that none of them waits for the others' calls. */
const FEW = 48;
/** So long they wait at most for the worker, which has few in hand and is free soon. */
const SOON_MS = 100;

export interface StoredWebhook {
  readonly isNew: boolean;
}

export interface InboxBatcher {
  /** Resolves when the webhook is on durable storage. @throws AppError unavailable */
  store(webhook: NewWebhook): Promise<StoredWebhook>;
  /** Resolves when nothing is under way any more. */
  drained(): Promise<void>;
}

interface Waiting {
  readonly webhook: NewWebhook;
  readonly resolve: (stored: StoredWebhook) => void;
  readonly reject: (error: unknown) => void;
}

export const storingFailed = (cause?: unknown): AppError =>
  new AppError('unavailable', 'unavailable', 'The webhook cannot be stored now.', {
    headers: { 'Retry-After': '5' },
    cause,
  });

export interface InboxHooks {
  /** Told of the webhooks that were stored, without those that had been there before. */
  onStored?(webhooks: readonly NewWebhook[]): void;
  /**
   * Stores webhooks and works them off at once, where there is time for that; null: there is none. False: nothing is
   * stored, and they are stored as others are.
   */
  storeAndWorkOff?(webhooks: readonly NewWebhook[]): Promise<boolean> | null;
  /** Whether the worker of this process is so far behind that nothing is gained by storing at once. */
  isBehind?(): boolean;
  /** Resolves when the worker of this process is free, which has few in hand; null: it is free, or far from it. */
  soonFree?(): Promise<void> | null;
}

export function createInboxBatcher(db: Knex, hooks: InboxHooks = {}): InboxBatcher {
  const waiting: Waiting[] = [];
  let running = 0;
  /** What is worked off as it is stored: nobody waits for it to end. */
  let aside = 0;
  let isLooking = false;
  let patience: NodeJS.Timeout | undefined;
  /** The first that waits has waited long enough. */
  let isDue = false;
  let isAwaitingWorker = false;
  const recent = createRecentDeliveries();
  let idle: (() => void)[] = [];

  /** After what has arrived already is read: it goes with the same statement. */
  function look(): void {
    if (isLooking) return;
    isLooking = true;
    setImmediate(() => {
      isLooking = false;
      next();
    });
  }

  /** Whether what waits may wait longer. */
  function mayWait(): boolean {
    if (isDue || waiting.length === 0) return false;
    if (hooks.isBehind?.()) return waiting.length < GATHERED.most && waitAtMost(GATHERED.ms);
    const free = waiting.length <= FEW ? hooks.soonFree?.() : null;
    if (!free) return false;
    if (!isAwaitingWorker) {
      isAwaitingWorker = true;
      void free.finally(() => {
        isAwaitingWorker = false;
        look();
      });
    }
    return waitAtMost(SOON_MS);
  }

  function waitAtMost(ms: number): true {
    patience ??= setTimeout(() => {
      isDue = true;
      next();
    }, ms);
    return true;
  }

  function endWaiting(): void {
    clearTimeout(patience);
    patience = undefined;
    isDue = false;
  }

  function next(): void {
    if (mayWait()) return;
    if (waiting.length > 0 && waiting.length <= FEW) workOffAtOnce();
    while (waiting.length > 0 && (running === 0 || (running < STATEMENTS_AT_ONCE && waiting.length >= CROWD))) {
      running += 1;
      endWaiting();
      void flush(takeBatch(waiting)).finally(() => {
        running -= 1;
        look();
      });
    }
    if (running + aside > 0) return;
    for (const wake of idle) wake();
    idle = [];
  }

  /** A repeated delivery would have all of them stored the usual way, so it goes that way alone. */
  function workOffAtOnce(): void {
    const batch = waiting.filter(({ webhook }) => !recent.has(webhook));
    const webhooks = distinct(batch);
    const isSmall = webhooks.reduce((sum, { body }) => sum + body.length, 0) <= MOST_BYTES_IN_A_STATEMENT;
    const isToWorkOff = webhooks.length > 0 && isSmall && webhooks.every(({ status }) => status === 'pending');
    const stored = isToWorkOff ? hooks.storeAndWorkOff?.(webhooks) : null;
    if (!stored) return;
    const rest = waiting.filter(({ webhook }) => recent.has(webhook));
    waiting.splice(0, waiting.length, ...rest);
    recent.add(webhooks);
    endWaiting();
    aside += 1;
    void stored
      .then((isStored) => (isStored ? answer(batch, new Set(webhooks.map(({ id }) => id))) : flush(batch)))
      .finally(() => {
        aside -= 1;
        look();
      });
  }

  async function flush(batch: Waiting[]): Promise<void> {
    try {
      const webhooks = distinct(batch);
      const stored = await insertWebhooks(db, webhooks);
      answer(batch, stored);
      hooks.onStored?.(webhooks.filter(({ id }) => stored.has(id)));
    } catch (error) {
      // Data that PostgreSQL refuses must not take its neighbours along: halve down to the one that spoils the batch.
      if (isDataError(error) && batch.length > 1) {
        const middle = Math.ceil(batch.length / 2);
        await flush(batch.slice(0, middle));
        await flush(batch.slice(middle));
      } else for (const { reject } of batch) reject(storingFailed(error));
    }
  }

  return {
    store(webhook) {
      if (waiting.length >= MOST_WAITING) return Promise.reject(storingFailed());
      return new Promise((resolve, reject) => {
        waiting.push({ webhook, resolve, reject });
        look();
      });
    },
    drained: () =>
      running + aside === 0 && waiting.length === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve)),
  };
}

function takeBatch(waiting: Waiting[]): Waiting[] {
  let bytes = 0;
  let count = 0;
  while (count < waiting.length && count < MOST_IN_A_STATEMENT) {
    bytes += waiting[count]?.webhook.body.length ?? 0;
    if (count > 0 && bytes > MOST_BYTES_IN_A_STATEMENT) break;
    count += 1;
  }
  return waiting.splice(0, count);
}

/**
 * Deliveries of one key that meet in a batch are one row; the first counts. In the order of their keys, or two processes
 * to which a carrier delivers the same twice would wait for each other's rows in a circle.
 */
function distinct(batch: readonly Waiting[]): NewWebhook[] {
  const first = new Map<string, NewWebhook>();
  for (const { webhook } of batch) {
    const key = deliveryOf(webhook);
    if (!first.has(key)) first.set(key, webhook);
  }
  return [...first].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, webhook]) => webhook);
}

function answer(batch: readonly Waiting[], stored: ReadonlySet<string>): void {
  for (const { webhook, resolve } of batch) resolve({ isNew: stored.has(webhook.id) });
}

/** SQLSTATE class 22 (data exception) and 54 (limits): the data's fault, not the database's. */
function isDataError(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && /^(22|54)/.test(code);
}
