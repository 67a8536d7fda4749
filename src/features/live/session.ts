import type { Socket } from 'socket.io';
import type { Actor } from '../../http/actor.js';
import { visibilityOf } from '../../http/actor.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../platform/log.js';
import { presentEvent, presentRemoval, type StoredEvent } from '../events/index.js';
import type { AccountFeed, Feeds, Member } from './account-feed.js';
import { type CallFilter, judge, type Scope, seesCall } from './call-filter.js';
import { tooManyMessages } from './live.errors.js';
import type { CloseCode } from './live.schema.js';
import { isClogged, roomToWrite, shut } from './outlet.js';
import { Pause } from './pause.js';
import type { SharedReads } from './shared-reads.js';

export interface SessionDeps {
  readonly log: Logger;
  readonly clock: Clock;
  readonly feeds: Feeds;
  readonly reads: SharedReads;
  /** A reader that takes nothing for so long is closed. */
  readonly stuckMs: number;
  /** Told of what keeps a session from going on; it tries again. */
  readonly warn: (error: unknown) => void;
}

export interface Admission {
  readonly actor: Actor;
  readonly after: number | null;
  readonly filter: CallFilter;
}

/** Why a snapshot is due; what comes with it differs. */
type Wish =
  | { readonly why: 'opened' | 'reset' | 'role' }
  | { readonly why: 'filter'; readonly filter: CallFilter; readonly done: (seq: number) => void };

const MOST_WISHES = 32;
const RETRY_MS = 500;
const WARN_BEFORE_MS = 30_000;

/**
 * One connection. It is either *live*: a member of an audience of its feed, and what the feed has sent it has got. Or
 * *behind*: it reads for itself, at its own pace, from the feed's memory or the database, until it has got what the
 * feed has, and then joins in the same turn. So every event comes once and in order, from one place or the other.
 */
export class Session implements Member {
  readonly socket: Socket;
  actor: Actor;
  scope: Scope;
  private readonly deps: SessionDeps;
  private readonly feed: AccountFeed;
  private state: 'behind' | 'live' | 'closed' = 'behind';
  /** The last event it has got or was passed over with, while behind. */
  private place: number;
  /** With `after`: where `caught_up` is due. */
  private target: number | null = null;
  private opened = false;
  private readonly after: number | null;
  private wishes: Wish[] = [];
  private running = false;
  private warnedOf: number | null = null;
  private readonly pause = new Pause();

  constructor(deps: SessionDeps, socket: Socket, admission: Admission) {
    this.deps = deps;
    this.socket = socket;
    this.actor = admission.actor;
    this.scope = { userId: visibilityOf(admission.actor).userId, filter: admission.filter };
    this.after = admission.after;
    this.place = admission.after ?? 0;
    this.feed = deps.feeds.enter(admission.actor.accountId, this);
    this.run();
  }

  get position(): number {
    return this.state === 'live' ? this.feed.position() : this.place;
  }

  /** Replaces the filter; `done` gets the seq from which it holds, just before the snapshot. */
  subscribe(filter: CallFilter, done: (seq: number) => void): void {
    if (this.wishes.length >= MOST_WISHES) throw tooManyMessages();
    this.wishes.push({ why: 'filter', filter, done });
    this.fallBehind();
  }

  /** The same user with a new token, or what the user may do now. */
  become(actor: Actor): void {
    const hasNewRole = actor.role !== this.actor.role;
    this.actor = actor;
    if (!hasNewRole) return;
    this.fallBehind();
    // At once, also for what is on its way: what is sent from here on is judged by the new role.
    this.scope = { ...this.scope, userId: visibilityOf(actor).userId };
    this.wishes.push({ why: 'role' });
  }

  /** Tells that the token is about to end, and ends with it. */
  tick(now: number): void {
    const { expiresAt } = this.actor;
    if (expiresAt === null || this.state === 'closed') return;
    if (now >= expiresAt) this.close('token_expired');
    else if (now >= expiresAt - WARN_BEFORE_MS && this.warnedOf !== expiresAt) {
      this.warnedOf = expiresAt;
      this.socket.emit('token_expiring', { expires_at: new Date(expiresAt).toISOString() });
    }
  }

  close(code: CloseCode): void {
    if (this.state === 'closed') return;
    const seq = this.position;
    this.end();
    this.deps.log.info(
      { code, seq, accountId: this.actor.accountId, userId: this.actor.userId },
      'live connection closed',
    );
    shut(this.socket, { code, seq });
  }

  /** The connection is gone. */
  end(): void {
    if (this.state === 'closed') return;
    this.deps.feeds.exit(this.feed, this);
    this.state = 'closed';
    this.pause.end();
  }

  enterRoom(room: string): void {
    void this.socket.join(room);
  }

  leaveRoom(room: string): void {
    void this.socket.leave(room);
  }

  isClogged(): boolean {
    return isClogged(this.socket);
  }

  fallBehind(): void {
    if (this.state !== 'live') return;
    this.place = this.feed.position();
    this.feed.leave(this);
    this.state = 'behind';
    this.run();
  }

  startOver(): void {
    if (this.wishes[0]?.why !== 'reset') this.wishes.unshift({ why: 'reset' });
    this.fallBehind();
  }

  private run(): void {
    if (this.running) return;
    this.running = true;
    // A turn later, so that whoever let it fall behind has finished what it does with the session.
    setImmediate(() => void this.catchUp());
  }

  private async catchUp(): Promise<void> {
    while (this.state === 'behind') {
      try {
        if (await this.step()) return;
      } catch (error) {
        this.deps.warn(error);
        await this.pause.wait(RETRY_MS);
      }
    }
  }

  /** True: it has caught up, and has joined the audience. */
  private async step(): Promise<boolean> {
    const [wish] = this.wishes;
    if (!this.opened) await this.open();
    else if (wish) await this.fulfil(wish);
    else return this.advance();
    return false;
  }

  private async advance(): Promise<boolean> {
    if (this.target !== null && this.place >= this.target) {
      this.target = null;
      this.socket.emit('caught_up', { seq: this.place });
    }
    // Also with nothing to send: who joins is written to without being asked again.
    if (this.isClogged()) await this.writable();
    if (this.state !== 'behind') return false;
    const goal = this.feed.position();
    // The log may be ahead of the feed, and a live session no longer looks whether `caught_up` is due.
    const due = Math.max(this.place, this.target ?? 0);
    if (this.place < goal) await this.sendUpTo(goal);
    else if (due > goal) await this.feed.reach(due);
    else {
      this.running = false;
      this.state = 'live';
      this.feed.join(this);
      return true;
    }
    return false;
  }

  private async open(): Promise<void> {
    await this.feed.ready();
    if (this.after === null) this.wishes.unshift({ why: 'opened' });
    else {
      const { newest, pruned } = await this.deps.reads.bounds(this.actor.accountId);
      if (this.after > newest || (this.after > 0 && this.after < pruned)) this.wishes.unshift({ why: 'reset' });
      else this.target = newest;
    }
    this.opened = true;
  }

  private async fulfil(wish: Wish): Promise<void> {
    const { accountId } = this.actor;
    const { userId } = this.scope;
    const board = await this.deps.reads.board({ accountId, userId });
    const oldest = wish.why === 'reset' ? (await this.deps.reads.bounds(accountId)).pruned + 1 : 0;
    await this.feed.reach(board.seq);
    if (wish.why === 'filter' || wish.why === 'role') {
      // The log has become shorter: another database took over without the newest of it.
      if (board.seq < this.place) return this.startOver();
      // What came before the snapshot is still judged by the old filter, and told before it.
      while (this.place < board.seq) if (!(await this.sendUpTo(board.seq))) return;
    }
    await this.writable();
    // The role may have changed meanwhile: then the board is not the one to show.
    if (this.state !== 'behind' || userId !== this.scope.userId) return;
    this.wishes = this.wishes.filter((other) => other !== wish);
    this.place = board.seq;
    if (wish.why === 'filter') {
      this.scope = { userId, filter: wish.filter };
      wish.done(board.seq);
    }
    if (wish.why === 'reset') {
      this.target = null;
      this.socket.emit('reset', { oldest_seq: oldest });
    }
    const calls = board.calls.filter((call) => seesCall(this.scope, call));
    this.socket.emit('snapshot', { seq: board.seq, calls });
  }

  /** Sends some of what comes next, not past `last`. False: it got no further (and starts over, or is closed). */
  private async sendUpTo(last: number): Promise<boolean> {
    const from = this.place;
    const events = this.feed.recent(this.place) ?? (await this.readLog());
    if (events === null) {
      this.startOver();
      return false;
    }
    for (const event of events) {
      if (this.isClogged()) await this.writable();
      if (event.seq > last || this.state !== 'behind') break;
      this.place = event.seq;
      this.send(event);
    }
    return this.place > from && this.state === 'behind';
  }

  /**
   * Null: events after the place have been deleted. seq has no holes, so the next event is known by its seq. Whoever
   * asked for everything that is kept gets what is left of it, also when it grows less meanwhile.
   */
  private async readLog(): Promise<readonly StoredEvent[] | null> {
    const { accountId } = this.actor;
    const page = await this.deps.reads.page({ accountId, after: this.place });
    const [first] = page.events;
    const isWhole = first?.seq === this.place + 1;
    const takesWhatIsLeft = this.after === 0 && this.target !== null;
    if (!isWhole && !takesWhatIsLeft) return null;
    if (!first) this.place = page.newest;
    return page.events;
  }

  private send(event: StoredEvent): void {
    if (!event.type.startsWith('call.')) return;
    const verdict = judge(this.scope, event);
    if (verdict === 'send') {
      this.socket.emit(event.type, presentEvent(event, new Date(this.deps.clock.now()).toISOString()));
    } else if (verdict === 'remove') this.socket.emit('call.removed', presentRemoval(event));
  }

  /** Waits until the reader has taken what was written; one that does not is closed. */
  private async writable(): Promise<void> {
    if (!(await roomToWrite(this.socket, this.deps.stuckMs))) this.close('slow_consumer');
  }
}
