/**
 * Group commit of accepted webhooks, without an added wait: a statement takes what has gathered while the one before it
 * ran. Two statements may be under way; what cannot be stored in time is refused, so that nothing waits without bound.
 * Only while the worker of this process is behind is more gathered for a statement, for a short time.
 */
import type { Knex } from 'knex';
import { AppError } from '../../lib/errors.js';
import type { NewWebhook } from './inbound-webhook.js';
import { insertWebhooks } from './inbox-inserts.js';

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
const FEW = 8;

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
}

export function createInboxBatcher(db: Knex, hooks: InboxHooks = {}): InboxBatcher {
  const waiting: Waiting[] = [];
  let running = 0;
  /** What is worked off as it is stored: nobody waits for it to end. */
  let aside = 0;
  let isLooking = false;
  let gathering: NodeJS.Timeout | undefined;
  /** The first that waits has waited long enough. */
  let isDue = false;
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

  /** Whether what waits may wait for more. */
  function mayGather(): boolean {
    if (isDue || waiting.length === 0 || waiting.length >= GATHERED.most || !hooks.isBehind?.()) return false;
    gathering ??= setTimeout(() => {
      isDue = true;
      next();
    }, GATHERED.ms);
    return true;
  }

  function endGathering(): void {
    clearTimeout(gathering);
    gathering = undefined;
    isDue = false;
  }

  function next(): void {
    if (mayGather()) return;
    if (running === 0 && waiting.length > 0 && waiting.length <= FEW) workOffAtOnce();
    while (waiting.length > 0 && (running === 0 || (running < STATEMENTS_AT_ONCE && waiting.length >= CROWD))) {
      running += 1;
      endGathering();
      void flush(takeBatch(waiting)).finally(() => {
        running -= 1;
        look();
      });
    }
    if (running + aside > 0) return;
    for (const wake of idle) wake();
    idle = [];
  }

  function workOffAtOnce(): void {
    const batch = [...waiting];
    const webhooks = distinct(batch);
    const stored = webhooks.every(({ status }) => status === 'pending') ? hooks.storeAndWorkOff?.(webhooks) : null;
    if (!stored) return;
    waiting.length = 0;
    endGathering();
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
    const key = `${webhook.carrierId} ${webhook.deliveryKey}`;
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
