import type { Namespace } from 'socket.io';
import type { Clock } from '../../lib/clock.js';
import {
  type EventTail,
  type Following,
  presentEvent,
  presentRemoval,
  type StoredEvent,
  type TailListener,
} from '../events/index.js';
import { judge, type Scope, scopeKey } from './call-filter.js';
import type { Delays } from './delays.js';

/** A connection as the feed sees it. */
export interface Member {
  readonly scope: Scope;
  enterRoom(room: string): void;
  leaveRoom(room: string): void;
  /** More waits to be written to it than a reader that keeps up would leave. */
  isClogged(): boolean;
  fallBehind(): void;
  /** What it has got does not join on to what comes. */
  startOver(): void;
}

export interface FeedDeps {
  readonly namespace: Namespace;
  readonly tail: EventTail;
  readonly clock: Clock;
  readonly delays: Delays;
}

/** Members that see the same: judged once for all of them, and written to by one broadcast, which is serialised once. */
interface Audience {
  readonly scope: Scope;
  readonly room: string;
  readonly members: Set<Member>;
}

/** An account's events on this node, given to the members that have kept up; the others read for themselves. */
export class AccountFeed implements TailListener {
  readonly accountId: string;
  /** All connections of the account here, those that are behind included. */
  readonly members = new Set<Member>();
  private readonly deps: FeedDeps;
  private readonly audiences = new Map<string, Audience>();
  private rooms = 0;
  private following: Following | null = null;
  private opening: Promise<void> | null = null;
  private stopped = false;

  constructor(deps: FeedDeps, accountId: string) {
    this.deps = deps;
    this.accountId = accountId;
  }

  /** Begins to follow the log; asked again after a failure it tries again. */
  ready(): Promise<void> {
    const isWanted = (): boolean => !this.stopped;
    this.opening ??= this.deps.tail.follow(this.accountId, this, isWanted).then(
      (following) => {
        this.following = following;
        if (this.stopped) following.stop();
      },
      (error: unknown) => {
        this.opening = null;
        throw error;
      },
    );
    return this.opening;
  }

  position(): number {
    return this.following?.position() ?? 0;
  }

  recent(after: number): readonly StoredEvent[] | null {
    return this.following?.recent(after) ?? null;
  }

  async reach(seq: number): Promise<void> {
    await this.following?.reach(seq);
  }

  /** From here on the member gets what comes after `position()`. */
  join(member: Member): void {
    const audience = this.audienceOf(member.scope);
    audience.members.add(member);
    member.enterRoom(audience.room);
  }

  /** The member has got everything up to `position()`. */
  leave(member: Member): void {
    const key = scopeKey(member.scope);
    const audience = this.audiences.get(key);
    if (!audience?.members.delete(member)) return;
    member.leaveRoom(audience.room);
    if (audience.members.size === 0) this.audiences.delete(key);
  }

  private audienceOf(scope: Scope): Audience {
    const key = scopeKey(scope);
    const known = this.audiences.get(key);
    if (known) return known;
    this.rooms += 1;
    const audience = { scope, room: `${this.accountId}/${this.rooms}`, members: new Set<Member>() };
    this.audiences.set(key, audience);
    return audience;
  }

  events(batch: readonly StoredEvent[]): void {
    const sentAt = this.deps.clock.now();
    const sentAtText = new Date(sentAt).toISOString();
    for (const event of batch) {
      if (!event.type.startsWith('call.')) continue;
      this.broadcast(event, sentAtText);
      this.deps.delays.observe(event, sentAt);
    }
    for (const { members } of this.audiences.values()) {
      for (const member of members) if (member.isClogged()) member.fallBehind();
    }
  }

  private broadcast(event: StoredEvent, sentAt: string): void {
    const send: string[] = [];
    const remove: string[] = [];
    for (const { scope, room } of this.audiences.values()) {
      const verdict = judge(scope, event);
      if (verdict === 'send') send.push(room);
      else if (verdict === 'remove') remove.push(room);
    }
    const { namespace } = this.deps;
    if (send.length > 0) namespace.to(send).emit(event.type, presentEvent(event, sentAt));
    if (remove.length > 0) namespace.to(remove).emit('call.removed', presentRemoval(event));
  }

  broken(): void {
    for (const member of [...this.members]) member.startOver();
  }

  stop(): void {
    this.stopped = true;
    this.following?.stop();
  }
}

/** The feeds of the accounts that have connections on this node. */
export class Feeds {
  private readonly deps: FeedDeps;
  private readonly feeds = new Map<string, AccountFeed>();

  constructor(deps: FeedDeps) {
    this.deps = deps;
  }

  enter(accountId: string, member: Member): AccountFeed {
    const feed = this.feeds.get(accountId) ?? new AccountFeed(this.deps, accountId);
    this.feeds.set(accountId, feed);
    feed.members.add(member);
    return feed;
  }

  exit(feed: AccountFeed, member: Member): void {
    feed.leave(member);
    feed.members.delete(member);
    if (feed.members.size > 0) return;
    feed.stop();
    this.feeds.delete(feed.accountId);
  }

  connections(accountId: string): number {
    return this.feeds.get(accountId)?.members.size ?? 0;
  }

  get size(): number {
    return this.feeds.size;
  }
}
