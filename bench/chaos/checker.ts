/** Compares what was answered with what the database holds and what the subscribers saw. */
import type { Call, Fact } from './calls.js';
import type { ChaosDatabase } from './database.js';
import { type ExpectedLog, expectedLog } from './model.js';
import type { Outcome } from './sender.js';
import type { Seen, Subscriber } from './subscriber.js';

export interface Evidence {
  readonly calls: readonly Call[];
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly subscribers: ReadonlyMap<string, Subscriber>;
  readonly database: ChaosDatabase;
}

export interface Verdict {
  readonly violations: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

interface StoredWebhook {
  readonly carrier_id: string;
  readonly delivery_key: string;
  readonly status: string;
  readonly code: string | null;
  readonly call_log_id: string | null;
}

interface StoredCall {
  readonly id: string;
  readonly carrier_id: string;
  readonly carrier_call_id: string;
  readonly status: string;
  readonly timeline: readonly { readonly seq: number; readonly type: string }[];
  readonly [column: string]: unknown;
}

interface StoredEvent {
  readonly account_id: string;
  readonly seq: number;
  readonly type: string;
  readonly subject_id: string;
}

interface Found {
  readonly webhooks: ReadonlyMap<string, StoredWebhook>;
  readonly calls: ReadonlyMap<string, StoredCall>;
  readonly events: readonly StoredEvent[];
  readonly eventsOf: ReadonlyMap<string, readonly StoredEvent[]>;
}

export async function check(evidence: Evidence): Promise<Verdict> {
  const found = await look(evidence.database);
  const violations: string[] = [];
  const tell = (text: string): void => void violations.push(text);
  const inbox = checkInbox(evidence, found, tell);
  checkCalls(evidence, found, tell);
  await checkLog(evidence.database, found, tell);
  const live = checkSubscribers(evidence.subscribers, found, tell);
  return { violations, counts: { ...inbox, calls: found.calls.size, events: found.events.length, ...live } };
}

async function look(database: ChaosDatabase): Promise<Found> {
  const webhooks = await database.query<StoredWebhook>(
    'select carrier_id, delivery_key, status, code, call_log_id from seen_webhooks',
  );
  const calls = await database.query<StoredCall>('select * from call_logs');
  const events = await database.query<StoredEvent>(
    'select account_id, seq::float8 as seq, type, subject_id from events order by account_id, seq',
  );
  const eventsOf = new Map<string, StoredEvent[]>();
  for (const event of events) eventsOf.set(event.subject_id, [...(eventsOf.get(event.subject_id) ?? []), event]);
  return {
    webhooks: new Map(webhooks.map((one) => [`${one.carrier_id} ${one.delivery_key}`, one])),
    calls: new Map(calls.map((one) => [`${one.carrier_id} ${one.carrier_call_id}`, one])),
    events,
    eventsOf,
  };
}

type Tell = (violation: string) => void;

/** Every 2xx is there and done with; what was refused is not; nothing is there that was not sent. */
function checkInbox({ outcomes }: Evidence, { webhooks }: Found, tell: Tell): Record<string, number> {
  const counts = { accepted: 0, refused: 0, unanswered: 0, storedUnanswered: 0, processed: 0, ignored: 0, failed: 0 };
  for (const [key, { webhook, accepted, answers }] of outcomes) {
    const stored = webhooks.get(key);
    const isForged = webhook.kind === 'forged';
    if (accepted) counts.accepted += 1;
    else if (isForged) counts.refused += 1;
    else counts.unanswered += 1;
    if (isForged && (accepted || stored)) tell(`${key}: forged, and accepted or stored`);
    if (accepted && !stored) tell(`${key}: answered 2xx and not stored`);
    if (!accepted && stored) counts.storedUnanswered += 1;
    for (const answer of answers.keys()) {
      const allowed = isForged ? ['401', '503', 'none'] : ['2', '503', 'none'];
      if (!allowed.some((known) => answer.startsWith(known))) tell(`${key}: answered ${answer}`);
    }
    if (stored) checkStatus(key, webhook.kind, stored, { counts, tell });
  }
  for (const key of webhooks.keys()) if (!outcomes.has(key)) tell(`${key}: stored, and nobody sent it`);
  return counts;
}

interface StatusParts {
  readonly counts: Record<'processed' | 'ignored' | 'failed', number>;
  readonly tell: Tell;
}

function checkStatus(key: string, kind: string, stored: StoredWebhook, { counts, tell }: StatusParts): void {
  const { status, code } = stored;
  if (status === 'processed' || status === 'ignored' || status === 'failed') counts[status] += 1;
  const expected = kind === 'strange' ? 'ignored unknown_number' : 'processed null';
  if (`${status} ${code}` !== expected) tell(`${key}: ${status} ${code}, not ${expected}`);
}

function checkCalls({ calls }: Evidence, found: Found, tell: Tell): void {
  const known = new Set<string>();
  for (const call of calls) {
    const key = `${call.line.carrierId} ${call.callId}`;
    known.add(key);
    const facts = factsOf(call, found);
    const stored = found.calls.get(key);
    const expected = call.kind === 'good' ? expectedLog(call, facts) : null;
    if (!expected !== !stored) tell(`${key}: ${stored ? 'there is a call log' : 'there is no call log'}`);
    else if (expected && stored) {
      checkLogOf(key, expected, stored, tell);
      checkTold(key, { facts, stored, events: found.eventsOf.get(stored.id) ?? [], tell });
    }
  }
  for (const key of found.calls.keys()) if (!known.has(key)) tell(`${key}: a call log of no call`);
}

const factsOf = ({ line, webhooks }: Call, found: Found): Fact[] =>
  webhooks.filter(({ key }) => found.webhooks.has(`${line.carrierId} ${key}`)).map(({ fact }) => fact);

function checkLogOf(key: string, expected: ExpectedLog, stored: StoredCall, tell: Tell): void {
  for (const [name, value] of Object.entries(expected)) {
    const held = stored[name];
    const plain = held instanceof Date ? held.getTime() : held;
    if (plain !== value) tell(`${key}: ${name} is ${plain}, not ${value}`);
  }
}

interface Told {
  readonly facts: readonly Fact[];
  readonly stored: StoredCall;
  readonly events: readonly StoredEvent[];
  readonly tell: Tell;
}

/** Each stated fact is one event, in the account's log as in the call's timeline, and no other is. */
function checkTold(key: string, { facts, stored, events, tell }: Told): void {
  const stated = facts.map(({ state }) => `call.${state}`).sort();
  const isFact = ({ type }: { type: string }): boolean => type !== 'call.updated';
  const told = events.filter(isFact).map(({ type }) => type);
  if (told.sort().join() !== stated.join()) tell(`${key}: told ${told.join()}, stated ${stated.join()}`);
  const inLog = events.map(({ seq, type }) => `${seq} ${type}`).join();
  const inTimeline = [...stored.timeline]
    .sort((a, b) => a.seq - b.seq)
    .map(({ seq, type }) => `${seq} ${type}`)
    .join();
  if (inLog !== inTimeline) tell(`${key}: the timeline has ${inTimeline}, the event log ${inLog}`);
}

/** No holes, and the counter stands at the newest. */
async function checkLog(database: ChaosDatabase, { events }: Found, tell: Tell): Promise<void> {
  const newest = new Map<string, number>();
  for (const { account_id: account, seq } of events) {
    const before = newest.get(account) ?? 0;
    if (seq !== before + 1) tell(`account ${account}: seq ${seq} follows ${before}`);
    newest.set(account, seq);
  }
  const counters = await database.query<{ account_id: string; seq: number }>(
    'select account_id, seq::float8 as seq from account_counters',
  );
  for (const { account_id: account, seq } of counters) {
    if (seq !== (newest.get(account) ?? 0)) tell(`account ${account}: the counter stands at ${seq}`);
  }
}

function checkSubscribers(
  subscribers: ReadonlyMap<string, Subscriber>,
  { events }: Found,
  tell: Tell,
): Record<string, number> {
  const total = { seen: 0, lost: 0, doubled: 0, disordered: 0, connections: 0 };
  for (const [account, subscriber] of subscribers) {
    const due = events.filter((event) => event.account_id === account && event.type.startsWith('call.'));
    const found = compare(subscriber.seen, due);
    total.seen += subscriber.seen.length;
    total.lost += found.lost;
    total.doubled += found.doubled;
    total.disordered += found.disordered;
    total.connections += subscriber.connections();
    for (const text of [...found.texts, ...subscriber.faults]) tell(`subscriber of ${account}: ${text}`);
  }
  return total;
}

function compare(seen: readonly Seen[], due: readonly StoredEvent[]) {
  const known = new Map(due.map((event) => [event.seq, event]));
  const counts = new Map<number, number>();
  const texts: string[] = [];
  let disordered = 0;
  seen.forEach(({ seq, type, callId }, place) => {
    counts.set(seq, (counts.get(seq) ?? 0) + 1);
    const event = known.get(seq);
    if (event?.type !== type || event.subject_id !== callId) texts.push(`${seq} was shown as ${type} of ${callId}`);
    if (place > 0 && seq < (seen[place - 1]?.seq ?? 0)) disordered += 1;
  });
  const lost = due.filter(({ seq }) => !counts.has(seq));
  const doubled = [...counts.values()].filter((count) => count > 1).length;
  if (lost.length > 0) texts.push(`${lost.length} events lost, the first ${lost[0]?.seq}`);
  if (doubled > 0) texts.push(`${doubled} events doubled`);
  if (disordered > 0) texts.push(`${disordered} events out of order`);
  return { lost: lost.length, doubled, disordered, texts };
}
