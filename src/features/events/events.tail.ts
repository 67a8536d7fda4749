import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Knex } from 'knex';
import type { Logger } from '../../platform/log.js';
import { LOOK, type Wakeups } from '../../platform/wakeups.js';
import type { StoredEvent } from './event.js';
import { type EventPage, findLogBounds, readEventPage } from './events.repository.js';
import { EVENTS_REWRITTEN_TOPIC, EVENTS_TOPIC } from './events.service.js';

/**
 * Follows the logs of the accounts that somebody in this process listens to. seq has no holes and rises in the order of
 * commits, so the next event is always the one after the position: a hint that begins there is used as it is, and any
 * other one, as well as the look at the counters once a second, leads to a query. A hint that is lost costs a second.
 */
export interface EventTail {
  /**
   * Begins at the newest event. One listener for an account: whoever has given up before it could begin, and may have a
   * successor, must no longer be wanted.
   */
  follow(accountId: string, listener: TailListener, isWanted?: () => boolean): Promise<Following>;
  close(): Promise<void>;
}

export interface TailListener {
  /** Events in order, each once, right after `position` rose over them. */
  events(batch: readonly StoredEvent[]): void;
  /** The log no longer holds what came after the position, or has become shorter: what follows does not join on. */
  broken(): void;
}

export interface Following {
  /** The last event that the listener has got. */
  position(): number;
  /** The events after `after` up to the position, when they are still in memory. */
  recent(after: number): readonly StoredEvent[] | null;
  /** Resolves when the listener has got the event `seq`. */
  reach(seq: number): Promise<void>;
  stop(): void;
}

export interface TailOptions {
  readonly pollMs?: number;
  /** Told once a second how many events this process has not yet given out, over all accounts it follows. */
  readonly onLag?: (events: number) => void;
}

const POLL_MS = 1000;
const PAGE = 500;
/** Events given to the listener in one turn, so that a burst does not keep sockets from being written. */
const SLICE = 32;
/** Events of an account kept for those who are a little behind. */
const RECENT = 256;
const MOST_PENDING = 2000;

export function createEventTail(
  deps: { db: Knex; wakeups: Wakeups; log: Logger },
  options: TailOptions = {},
): EventTail {
  const accounts = new Map<string, AccountTail>();
  const stops = [
    deps.wakeups.subscribe(EVENTS_TOPIC, (hint) => hear(accounts, hint)),
    deps.wakeups.subscribe(EVENTS_REWRITTEN_TOPIC, (hint) => {
      for (const [accountId, account] of accounts) if (hint === accountId || hint === LOOK) account.forget();
    }),
  ];
  const pollMs = options.pollMs ?? POLL_MS;
  let closed = false;
  let polling = Promise.resolve();
  let timer = setTimeout(poll, pollMs);

  function poll(): void {
    polling = lookAtCounters(deps.db, accounts)
      .then((lag) => options.onLag?.(lag))
      .catch((error: unknown) => deps.log.warn({ err: error }, 'event log could not be looked at'))
      .then(() => {
        if (!closed) timer = setTimeout(poll, pollMs);
      });
  }

  return {
    async follow(accountId, listener, isWanted = () => true) {
      const bounds = await findLogBounds(deps.db, [accountId]);
      const account = new AccountTail(deps, accountId, listener, bounds.get(accountId)?.newest ?? 0);
      if (isWanted()) accounts.set(accountId, account);
      return {
        position: () => account.position,
        recent: (after) => account.recentAfter(after),
        reach: (seq) => account.reach(seq),
        stop: () => {
          account.stop();
          if (accounts.get(accountId) === account) accounts.delete(accountId);
        },
      };
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      for (const stop of stops) stop();
      for (const account of accounts.values()) account.stop();
      await polling;
      await Promise.all([...accounts.values()].map((account) => account.idle()));
      accounts.clear();
    },
  };
}

/** One statement for all accounts; whoever is behind reads. Answers by how many events they were behind. */
async function lookAtCounters(db: Knex, accounts: ReadonlyMap<string, AccountTail>): Promise<number> {
  if (accounts.size === 0) return 0;
  const bounds = await findLogBounds(db, [...accounts.keys()]);
  let lag = 0;
  for (const [accountId, account] of accounts) {
    const newest = bounds.get(accountId)?.newest;
    if (newest === undefined) continue;
    lag += Math.max(0, newest - account.position);
    if (newest !== account.head) account.read();
  }
  return lag;
}

function hear(accounts: ReadonlyMap<string, AccountTail>, hint: unknown): void {
  if (accounts.size === 0) return;
  if (!tellsAccounts(hint)) {
    for (const account of accounts.values()) account.read();
    return;
  }
  const byAccount = new Map<string, StoredEvent[]>();
  for (const event of hint) {
    if (!accounts.has(event.accountId)) continue;
    const list = byAccount.get(event.accountId);
    if (list) list.push(event);
    else byAccount.set(event.accountId, [event]);
  }
  for (const [accountId, list] of byAccount) accounts.get(accountId)?.hear(list);
}

/** False: it says no more than that something happened. */
const tellsAccounts = (hint: unknown): hint is readonly StoredEvent[] =>
  Array.isArray(hint) && hint.every((event) => typeof event?.accountId === 'string');

class AccountTail {
  position: number;
  /** The last event that is known here: position and what waits to be given out. */
  head: number;
  private pending: StoredEvent[] = [];
  private recent: StoredEvent[] = [];
  private reading: Promise<void> | null = null;
  private again = false;
  private emptying = false;
  private stopped = false;
  private waiters: { seq: number; resolve: () => void }[] = [];
  private readonly deps: { db: Knex; log: Logger };
  private readonly accountId: string;
  private readonly listener: TailListener;

  constructor(deps: { db: Knex; log: Logger }, accountId: string, listener: TailListener, position: number) {
    this.deps = deps;
    this.accountId = accountId;
    this.listener = listener;
    this.position = position;
    this.head = position;
  }

  hear(events: readonly StoredEvent[]): void {
    const [first] = events;
    if (events.every((event) => event.seq <= this.head)) return;
    const joinsOn = first !== undefined && first.seq <= this.head + 1;
    const isWhole = events.every((event, i) => event.payload && event.seq === (first?.seq ?? 0) + i);
    if (joinsOn && isWhole && this.pending.length < MOST_PENDING) this.take(events);
    else this.read();
  }

  /** Reads from the database until nothing is left; a wish during a reading leads to one more. */
  read(): void {
    this.again = true;
    this.reading ??= this.readAll()
      .catch((error: unknown) => {
        this.again = false; // the next look at the counters tries again
        this.deps.log.warn({ err: error }, 'event log could not be read');
      })
      .finally(() => {
        this.reading = null;
        if (this.again && !this.stopped) this.read();
      });
  }

  private async readAll(): Promise<void> {
    while (this.again && !this.stopped) {
      this.again = false;
      const from = this.head;
      const page = await readEventPage(this.deps.db, this.accountId, { after: from, limit: PAGE });
      if (this.stopped) return;
      if (this.isBroken(page, from)) this.breakOff(page);
      else this.take(page.events);
      if (page.events.length === PAGE) this.again = true;
      while (this.pending.length > PAGE && !this.stopped) await nextTurn();
    }
  }

  private isBroken(page: EventPage, from: number): boolean {
    if (page.newest < from) return true;
    const [first] = page.events;
    return first ? first.seq > from + 1 && first.seq > this.head + 1 : page.newest > this.head;
  }

  private breakOff(page: EventPage): void {
    this.pending = [];
    this.recent = [];
    this.position = page.newest;
    this.head = page.newest;
    this.listener.broken();
    for (const waiter of this.waiters.splice(0)) waiter.resolve();
  }

  private take(events: readonly StoredEvent[]): void {
    for (const event of events) {
      if (event.seq !== this.head + 1) continue;
      this.head = event.seq;
      this.pending.push(event);
    }
    if (!this.emptying) this.giveSlice();
  }

  private giveSlice(): void {
    this.emptying = false;
    const batch = this.pending.splice(0, SLICE);
    const last = batch.at(-1);
    if (this.stopped || !last) return;
    this.position = last.seq;
    this.recent.push(...batch);
    if (this.recent.length > 2 * RECENT) this.recent.splice(0, this.recent.length - RECENT);
    try {
      this.listener.events(batch);
    } catch (error) {
      this.deps.log.error({ err: error, accountId: this.accountId }, 'events could not be given out');
    }
    this.wake();
    if (this.pending.length === 0) return;
    this.emptying = true;
    setImmediate(() => this.giveSlice());
  }

  recentAfter(after: number): readonly StoredEvent[] | null {
    const [first] = this.recent;
    if (after >= this.position) return [];
    if (!first || first.seq > after + 1) return null;
    return this.recent.slice(after + 1 - first.seq);
  }

  /** What was kept in memory is told otherwise by now. */
  forget(): void {
    this.recent = [];
  }

  reach(seq: number): Promise<void> {
    if (this.position >= seq || this.stopped) return Promise.resolve();
    if (this.head < seq) this.read();
    return new Promise((resolve) => this.waiters.push({ seq, resolve }));
  }

  private wake(): void {
    if (this.waiters.length === 0) return;
    const due = this.waiters.filter((waiter) => waiter.seq <= this.position);
    this.waiters = this.waiters.filter((waiter) => waiter.seq > this.position);
    for (const waiter of due) waiter.resolve();
  }

  stop(): void {
    this.stopped = true;
    for (const waiter of this.waiters.splice(0)) waiter.resolve();
  }

  async idle(): Promise<void> {
    await this.reading;
  }
}
