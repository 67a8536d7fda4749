/**
 * Signed load against an installation of several processes while its parts are killed, paused, cut off and started
 * anew; at the end every answer is compared with its effects.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createRandom } from '../lib/traffic.js';
import { type Call, makeCall, WEBHOOKS_PER_CALL } from './calls.js';
import { check, type Evidence, type Verdict } from './checker.js';
import { listFaults, schedule } from './faults.js';
import { within } from './limits.js';
import { type Defer, openParts } from './parts.js';
import type { Role } from './processes.js';
import { createSender, type Sender } from './sender.js';
import { strike } from './strike.js';
import { type Subscriber, subscribe } from './subscriber.js';
import { makeWorld, type World } from './world.js';

export interface ChaosOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Webhooks a second. */
  readonly rate: number;
  readonly faults: number;
  readonly redis: boolean;
  /** Processes of each role. */
  readonly processes: number;
  /** Each process has all roles. */
  readonly together: boolean;
  readonly accounts: number;
  /** How long a fault lasts at most, ms. */
  readonly longestFaultMs: number;
  /** How long a call stays in a state at most, ms. */
  readonly longestStepMs: number;
  /** Only faults whose name matches. */
  readonly only?: RegExp;
  readonly tell: (line: string) => void;
}

export interface ChaosReport extends Verdict {
  readonly webhooks: number;
  readonly attempts: number;
  readonly answers: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  /** From the end of the last fault until every process was ready again, ms. */
  readonly readyAgainMs: number;
  readonly longestSilenceMs: number;
  readonly skipped: readonly string[];
  /** Where logs and data are, when something is wrong. */
  readonly folder: string;
}

const PUBLIC_URL = 'http://switchboard.test';
const READY_WITHIN_MS = 10_000;
const SETTLE_MS = 90_000;
const GIVE_UP_MS = 60_000;
const CHECK_MS = 120_000;
const UNDO_MS = 20_000;

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  mkdirSync('.tmp', { recursive: true });
  const folder = mkdtempSync(join(resolve('.tmp'), 'chaos-'));
  const undo: (() => unknown)[] = [];
  let isClean = false;
  try {
    const report = await runIn(folder, options, (step) => undo.push(step));
    isClean = report.violations.length === 0;
    return report;
  } finally {
    // What cannot be taken down must not hide the verdict.
    for (const step of undo.reverse()) await within(UNDO_MS, (async () => step())()).catch(() => undefined);
    if (isClean) rmSync(folder, { recursive: true, force: true });
  }
}

async function runIn(folder: string, options: ChaosOptions, defer: Defer): Promise<ChaosReport> {
  const random = createRandom(options.seed);
  const parts = await openParts({ ...options, folder, publicUrl: PUBLIC_URL }, defer);
  const { members, database } = parts;
  const of = (role: Role): string[] => members.filter((member) => member.role === role).map(({ url }) => url);
  const world = await makeWorld(of('api')[0] ?? '', options.accounts);
  const subscribers = listen(world, of('live'), defer);
  const sender = createSender({
    ...{ urls: of('api'), publicUrl: PUBLIC_URL, giveUpAfterMs: GIVE_UP_MS },
    random: createRandom(options.seed + 1),
  });
  const violations: string[] = [];
  const complain = (text: string): void => void violations.push(text);
  const faults = listFaults(parts, random, complain).filter(({ name }) => options.only?.test(name) ?? true);
  const { faults: count, seconds, longestFaultMs: longestMs } = options;
  const planned = schedule(faults, { count, overMs: seconds * 1000, longestMs }, random);
  const calls: Call[] = [];
  const playing = play(world, { options, sender, calls });
  const { counts, readyAgainMs } = await strike(planned, members, { tell: options.tell, complain });
  options.tell(`ready again after ${readyAgainMs} ms`);
  if (readyAgainMs > READY_WITHIN_MS) complain(`ready again only ${readyAgainMs} ms after the last fault`);
  await playing;
  await sender.finish();
  options.tell('everything is sent');
  for (const member of members) {
    if (member.unasked() > 0) complain(`${member.name} ended by itself ${member.unasked()} times`);
  }
  const verdict = await judge({ calls, outcomes: sender.outcomes, subscribers, database });
  return {
    violations: [...violations, ...verdict.violations],
    counts: verdict.counts,
    ...{ ...sent(sender), faults: counts, readyAgainMs, folder },
    skipped: database.noFullDisk === null ? [] : [database.noFullDisk],
  };
}

/** There is a verdict whatever happens: what cannot be compared speaks against the installation. */
async function judge(evidence: Evidence): Promise<Verdict> {
  const unsettled = await settle(evidence);
  try {
    const { violations, counts } = await within(CHECK_MS, check(evidence));
    return { violations: [...unsettled, ...violations], counts };
  } catch (error) {
    return { violations: [...unsettled, `nothing could be compared: ${(error as Error).message}`], counts: {} };
  }
}

function listen({ tokens }: World, urls: readonly string[], defer: Defer): Map<string, Subscriber> {
  const subscribers = new Map<string, Subscriber>();
  for (const [account, token] of tokens) {
    subscribers.set(account, subscribe({ urls, token, random: createRandom(subscribers.size + 1) }));
  }
  defer(() => {
    for (const subscriber of subscribers.values()) subscriber.close();
  });
  return subscribers;
}

interface Play {
  readonly options: ChaosOptions;
  readonly sender: Sender;
  readonly calls: Call[];
}

/** Begins calls evenly; each sends its webhooks when they are due. */
async function play({ lines }: World, { options, sender, calls }: Play): Promise<void> {
  const wish = { ...{ lines, longestStepMs: options.longestStepMs }, random: createRandom(options.seed + 2) };
  const begun = Date.now();
  const perMs = options.rate / WEBHOOKS_PER_CALL / 1000;
  for (let passed = 0; passed < options.seconds * 1000; passed = Date.now() - begun) {
    while (calls.length < passed * perMs) {
      const call = makeCall(calls.length, Date.now(), wish);
      calls.push(call);
      for (const webhook of call.webhooks) sender.send(webhook);
    }
    await pause(20);
  }
}

/** Waits until nothing is left to do and the subscribers have it all; answers what speaks against that. */
async function settle({ database, subscribers }: Evidence): Promise<string[]> {
  const until = Date.now() + SETTLE_MS;
  let left = '';
  while (Date.now() < until) {
    left = await leftToDo({ database, subscribers }).catch((error: Error) => `the database says ${error.message}`);
    if (left === '') return [];
    await pause(250);
  }
  return [`${SETTLE_MS / 1000} s after the last webhook: ${left}`];
}

async function leftToDo({ database, subscribers }: Pick<Evidence, 'database' | 'subscribers'>): Promise<string> {
  const [row] = await database.query<{ pending: number }>(
    `select count(*)::int as pending from seen_webhooks where status in ('pending', 'waiting')`,
  );
  const newest = await database.query<{ account_id: string; seq: number }>(
    `select account_id, max(seq)::float8 as seq from events where starts_with(type, 'call.') group by account_id`,
  );
  const behind = newest.filter(({ account_id, seq }) => (subscribers.get(account_id)?.position() ?? seq) < seq);
  if (row?.pending === 0 && behind.length === 0) return '';
  return `${row?.pending} webhooks pending, ${behind.length} subscribers behind`;
}

function sent({ outcomes, longestSilence }: Sender) {
  const answers: Record<string, number> = {};
  let attempts = 0;
  for (const outcome of outcomes.values()) {
    attempts += outcome.attempts;
    for (const [answer, count] of outcome.answers) answers[answer] = (answers[answer] ?? 0) + count;
  }
  return { webhooks: outcomes.size, attempts, answers, longestSilenceMs: longestSilence() };
}
