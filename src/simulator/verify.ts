/** Compares what the switchboard holds of a run with what its answered webhooks allow. */
import { isDeepStrictEqual } from 'node:util';
import type { Json } from './api.js';
import { compareLog } from './compare.js';
import type { Evidence } from './evidence.js';
import type { Report } from './expected.js';
import { type ExpectedLog, expectLogs } from './families.js';
import type { Journal, WebhookRecord } from './journal.js';

export interface Findings {
  /** Calls of which something was sent, and those of them that are as they must be. */
  readonly calls: number;
  readonly right: number;
  readonly legs: number;
  readonly differences: readonly string[];
}

export interface VerifyOptions {
  /** How far clocks may be apart, ms. */
  readonly tolerance: number;
  readonly now: number;
}

type Run = Pick<Journal, 'facts' | 'records'>;

export function findDifferences(run: Run, evidence: Evidence, options: VerifyOptions): Findings {
  const book = openBook(run, evidence);
  const differences: string[] = [];
  let right = 0;
  let legs = 0;
  const calls = recordsByCall(run);
  for (const [call, records] of calls) {
    const { wrong, expected } = judgeCall(records, book, options);
    legs += expected;
    if (wrong.length === 0) right += 1;
    else differences.push(...wrong.map((text) => `call ${call}: ${text}`));
  }
  const { claimed, logs } = book;
  const extra = logs.filter((log) => !claimed.has(log));
  differences.push(...extra.map((log) => `${nameOf(log)} is a call log that nothing sent can account for`));
  differences.push(...judgeWebhooks(run, evidence));
  return { calls: calls.size, right, legs, differences };
}

/** What is looked up again and again. */
interface Book extends Evidence {
  readonly run: Run;
  readonly numbers: ReadonlySet<string>;
  readonly byLeg: ReadonlyMap<string, readonly Json[]>;
  readonly legOf: ReadonlyMap<string, string>;
  /** Call logs that belong to a call of the run. */
  readonly claimed: Set<Json>;
}

const keyOf = (carrierId: unknown, leg: unknown): string => `${carrierId} ${leg}`;
const nameOf = (log: Json): string => `${log.provider} ${log.carrier_call_id} (${log.id})`;

function openBook(run: Run, evidence: Evidence): Book {
  const byLeg = new Map<string, Json[]>();
  for (const log of evidence.logs) {
    const key = keyOf(log.carrier_id, log.carrier_call_id);
    byLeg.set(key, [...(byLeg.get(key) ?? []), log]);
  }
  const legOf = new Map(evidence.logs.map((log) => [String(log.id), String(log.carrier_call_id)]));
  return { ...evidence, run, byLeg, legOf, numbers: new Set(run.facts.numbers), claimed: new Set() };
}

function recordsByCall({ records }: Run): ReadonlyMap<number, readonly WebhookRecord[]> {
  const calls = new Map<number, WebhookRecord[]>();
  for (const record of records.values()) calls.set(record.call, [...(calls.get(record.call) ?? []), record]);
  return calls;
}

interface Verdict {
  readonly wrong: readonly string[];
  readonly expected: number;
}

/** Beyond this many webhooks of one call whose fate is not known, not every guess can be tried. */
const MOST_GUESSES = 8;

/** A webhook that was sent and never answered may be stored or not: the call is right if one guess makes it so. */
function judgeCall(records: readonly WebhookRecord[], book: Book, options: VerifyOptions): Verdict {
  const certain = records.filter(({ answeredAt }) => answeredAt !== null);
  const open = records.filter(({ answeredAt, refused }) => answeredAt === null && refused === null);
  const guessable = open.slice(0, MOST_GUESSES);
  let best: Verdict | null = null;
  for (let guess = 0; guess < 2 ** guessable.length; guess += 1) {
    const stored = [...certain, ...guessable.filter((_, i) => (guess >> i) % 2 === 1)];
    const verdict = judgeGuess(records, reportsByLeg(stored, options), book);
    if (!best || verdict.wrong.length < best.wrong.length) best = verdict;
  }
  return best ?? { wrong: [], expected: 0 };
}

function reportsByLeg(records: readonly WebhookRecord[], { tolerance, now }: VerifyOptions): Map<string, Report[]> {
  const reports = new Map<string, Report[]>();
  for (const { call, place, sentAt, answeredAt, claims } of records) {
    const arrived = [sentAt - tolerance, (answeredAt ?? now) + tolerance] as const;
    for (const [index, claim] of claims.entries()) {
      const report = { claim, arrived, webhook: `${call}.${place}`, index };
      reports.set(claim.leg, [...(reports.get(claim.leg) ?? []), report]);
    }
  }
  return reports;
}

function judgeGuess(records: readonly WebhookRecord[], reports: Map<string, Report[]>, book: Book): Verdict {
  const provider = records[0]?.provider ?? '';
  const expected = expectLogs(reports, book.numbers);
  const legs = new Set(records.flatMap(({ claims }) => claims.map(({ leg }) => leg)));
  const wrong: string[] = [];
  for (const leg of legs) {
    const logs = book.byLeg.get(keyOf(book.run.facts.carriers[provider], leg)) ?? [];
    for (const log of logs) book.claimed.add(log);
    const right = expected.get(leg);
    const told = judgeLeg(logs, right, { provider, book });
    wrong.push(...told.map((text) => `${provider} ${leg}: ${text}`));
  }
  return { wrong, expected: expected.size };
}

interface LegContext {
  readonly provider: string;
  readonly book: Book;
}

function judgeLeg(logs: readonly Json[], expected: ExpectedLog | undefined, { provider, book }: LegContext): string[] {
  const [log, ...more] = logs;
  if (!expected) return log ? ['there is a call log although nothing that was answered makes one'] : [];
  if (!log) return ['there is no call log'];
  const doubled = more.length > 0 ? [`there are ${logs.length} call logs`] : [];
  const known = {
    provider,
    carrierId: book.run.facts.carriers[provider],
    legOf: (id: string) => book.legOf.get(id),
  };
  return [...doubled, ...compareLog(log, expected, known), ...judgeEvents(log, expected, book)];
}

/** Each fact is told exactly once, and the last event shows the call as it is. */
function judgeEvents(log: Json, { leg }: ExpectedLog, book: Book): string[] {
  const id = String(log.id);
  const events = book.events.get(id) ?? [];
  const facts = (list: readonly Json[]): string =>
    list
      .map(({ type }) => String(type))
      .filter((type) => type !== 'call.updated')
      .sort()
      .join(' ');
  const right = [...leg.stated.map((state) => `call.${state}`)].sort().join(' ');
  const wrong: string[] = [];
  if (facts(events) !== right) wrong.push(`its events are ${facts(events)} instead of ${right}`);
  const rises = events.every(({ seq }, i) => i === 0 || Number(seq) > Number(events[i - 1]?.seq));
  if (!rises) wrong.push('the seq of its events does not rise');
  const last = events.at(-1)?.call as Json | undefined;
  const differing = last
    ? Object.keys(log).filter((name) => name !== 'updated_at' && !isDeepStrictEqual(log[name], last[name]))
    : [];
  if (differing.length > 0) wrong.push(`its last event has another ${differing.join(', ')}`);
  const timeline = book.timelines.get(id);
  if (timeline && facts(timeline) !== right) wrong.push(`its timeline has ${facts(timeline)} instead of ${right}`);
  if (timeline && timeline.length !== events.length) {
    wrong.push(`its timeline has ${timeline.length} entries, its events are ${events.length}`);
  }
  return wrong;
}

const MOST_SHOWN = 10;

/** Each answered webhook is stored once, and none of them failed. */
function judgeWebhooks({ records }: Run, { webhooks }: Evidence): string[] {
  const sent = [...records.values()];
  const answered = sent.filter(({ answeredAt }) => answeredAt !== null).length;
  const open = sent.filter(({ answeredAt, refused }) => answeredAt === null && refused === null).length;
  const wrong: string[] = [];
  if (webhooks.length < answered || webhooks.length > answered + open) {
    const right = open === 0 ? String(answered) : `${answered} to ${answered + open}`;
    wrong.push(`${webhooks.length} webhooks are stored instead of ${right}`);
  }
  const failed = webhooks.filter(({ status }) => status === 'failed');
  for (const { id, provider, event_type, code, detail } of failed.slice(0, MOST_SHOWN)) {
    wrong.push(`${provider} ${event_type} (${id}) failed: ${code}, ${detail}`);
  }
  if (failed.length > MOST_SHOWN) wrong.push(`${failed.length - MOST_SHOWN} more webhooks failed`);
  return wrong;
}
