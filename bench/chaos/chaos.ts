/**
 * Signed load against an installation of several processes while its parts are killed, paused, cut off and started
 * anew; at the end every answer is compared with its effects.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ADMIN, SECRET_TEXT } from '../lib/installation.js';
import { createRandom } from '../lib/traffic.js';
import { type Call, makeCall, WEBHOOKS_PER_CALL } from './calls.js';
import { check, type Verdict } from './checker.js';
import { openDatabase } from './database.js';
import { listFaults, type PlannedFault, schedule, type Targets } from './faults.js';
import { createMember, type Member, type Role } from './processes.js';
import { openRedis } from './redis.js';
import { createSender, type Sender } from './sender.js';
import { type Subscriber, subscribe } from './subscriber.js';
import { openWire, type Wire } from './wire.js';
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
  readonly accounts: number;
  /** How long a fault lasts at most, ms. */
  readonly longestFaultMs: number;
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

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  mkdirSync('.tmp', { recursive: true });
  const folder = mkdtempSync(join(resolve('.tmp'), 'chaos-'));
  const undo: (() => unknown)[] = [];
  let isClean = false;
  try {
    const report = await runIn(folder, options, undo);
    isClean = report.violations.length === 0;
    return report;
  } finally {
    for (const step of undo.reverse()) await step();
    if (isClean) rmSync(folder, { recursive: true, force: true });
  }
}

async function runIn(folder: string, options: ChaosOptions, undo: (() => unknown)[]): Promise<ChaosReport> {
  const random = createRandom(options.seed);
  const targets = await build(folder, options, undo);
  const { members, database } = targets;
  const of = (role: Role): string[] => members.filter((member) => member.role === role).map(({ url }) => url);
  const world = await makeWorld(of('api')[0] ?? '', options.accounts);
  const subscribers = listen(world, of('live'), undo);
  const sender = createSender({
    ...{ urls: of('api'), publicUrl: PUBLIC_URL, giveUpAfterMs: GIVE_UP_MS },
    random: createRandom(options.seed + 1),
  });
  const violations: string[] = [];
  const known = listFaults(targets, random, (text) => violations.push(text));
  const faults = known.filter(({ name }) => options.only?.test(name) ?? true);
  const planned = schedule(
    faults,
    { count: options.faults, overMs: options.seconds * 1000, longestMs: options.longestFaultMs },
    random,
  );
  const calls: Call[] = [];
  const playing = play(world, { options, sender, calls });
  const counts = await strike(planned, options.tell, (text) => violations.push(text));
  const readyAgainMs = await untilReady(members);
  options.tell(`ready again after ${readyAgainMs} ms`);
  if (readyAgainMs > READY_WITHIN_MS) violations.push(`ready again only ${readyAgainMs} ms after the last fault`);
  await playing;
  await sender.finish();
  violations.push(...(await settle(database, subscribers)));
  for (const member of members) {
    if (member.unasked() > 0) violations.push(`${member.name} ended by itself ${member.unasked()} times`);
  }
  const verdict = await check({ calls, outcomes: sender.outcomes, subscribers, database });
  const outcomes = [...sender.outcomes.values()];
  return {
    violations: [...violations, ...verdict.violations],
    counts: verdict.counts,
    webhooks: outcomes.length,
    attempts: outcomes.reduce((sum, { attempts }) => sum + attempts, 0),
    answers: answersOf(sender),
    ...{ faults: counts, readyAgainMs, folder },
    longestSilenceMs: sender.longestSilence(),
    skipped: database.noFullDisk === null ? [] : [database.noFullDisk],
  };
}

async function build(folder: string, options: ChaosOptions, undo: (() => unknown)[]): Promise<Targets> {
  const database = await openDatabase(folder);
  undo.push(() => database.stop());
  const redis = options.redis ? await openRedis(folder) : null;
  undo.push(() => redis?.kill());
  const toDatabase = new Map<string, Wire>();
  const toRedis = new Map<string, Wire>();
  const members: Member[] = [];
  for (const role of ['api', 'worker', 'live'] as const) {
    for (let place = 1; place <= options.processes; place += 1) {
      const name = `${role}-${place}`;
      const wire = await openWire(() => database.port());
      toDatabase.set(name, wire);
      undo.push(() => wire.close());
      const second = redis && (await openWire(() => redis.port));
      if (second) toRedis.set(name, second);
      undo.push(() => second?.close());
      const env = environment(folder, database.urlThrough(wire.port), second && `redis://127.0.0.1:${second.port}`);
      members.push(await createMember({ ...{ name, role, folder }, env }));
    }
  }
  undo.push(() => Promise.all(members.map((member) => member.kill())));
  for (const member of members) {
    member.start();
    await member.ready();
  }
  return { members, database, redis, toDatabase, toRedis };
}

const environment = (folder: string, databaseUrl: string, redisUrl: string | null): Record<string, string> => ({
  ...{ DATA_DIR: folder, DATABASE_URL: databaseUrl, JWT_SECRET: SECRET_TEXT, ENCRYPTION_KEY: SECRET_TEXT, PUBLIC_URL },
  ...{ RATE_LIMITS: 'off', ACCESS_TOKEN_TTL: '86400', LOG_LEVEL: 'warn', DATABASE_POOL: '8' },
  ...{ ADMIN_USERNAME: ADMIN.username, ADMIN_PASSWORD: ADMIN.password },
  ...(redisUrl !== null && { REDIS_URL: redisUrl }),
});

function listen({ tokens }: World, urls: readonly string[], undo: (() => unknown)[]): Map<string, Subscriber> {
  const subscribers = new Map<string, Subscriber>();
  for (const [account, token] of tokens) {
    subscribers.set(account, subscribe({ urls, token, random: createRandom(subscribers.size + 1) }));
  }
  undo.push(() => {
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
  const random = createRandom(options.seed + 2);
  const begun = Date.now();
  const perMs = options.rate / WEBHOOKS_PER_CALL / 1000;
  for (let passed = 0; passed < options.seconds * 1000; passed = Date.now() - begun) {
    while (calls.length < passed * perMs) {
      const call = makeCall(calls.length, lines, Date.now(), random);
      calls.push(call);
      for (const webhook of call.webhooks) sender.send(webhook);
    }
    await pause(20);
  }
}

/** Runs the faults at their times; answers how many of each. */
async function strike(
  planned: readonly PlannedFault[],
  tell: (line: string) => void,
  complain: (violation: string) => void,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const busy = new Map<string, Promise<void>>();
  const begun = Date.now();
  const strikeOne = async ({ fault, atMs, lastsMs }: PlannedFault): Promise<void> => {
    await pause(Math.max(0, begun + atMs - Date.now()));
    const before = busy.get(fault.subject) ?? Promise.resolve();
    const run = before.then(async () => {
      const at = ((Date.now() - begun) / 1000).toFixed(1).padStart(6);
      tell(`${at} s  ${fault.name}, ${(lastsMs / 1000).toFixed(1)} s`);
      await fault.run(lastsMs).catch((error: Error) => complain(`${fault.name}: ${error.message}`));
    });
    busy.set(fault.subject, run);
    counts[fault.name] = (counts[fault.name] ?? 0) + 1;
    await run;
  };
  await Promise.all(planned.map(strikeOne));
  return counts;
}

async function untilReady(members: readonly Member[]): Promise<number> {
  const begun = Date.now();
  const isReady = async ({ url }: Member): Promise<boolean> => {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(3000) }).catch(() => null);
    return answer?.status === 200;
  };
  for (let waited = 0; waited < 60_000; waited = Date.now() - begun) {
    const states = await Promise.all(members.map(isReady));
    if (states.every(Boolean)) return Date.now() - begun;
    await pause(100);
  }
  return Number.POSITIVE_INFINITY;
}

/** Waits until nothing is left to do and the subscribers have it all. */
async function settle(database: Targets['database'], subscribers: ReadonlyMap<string, Subscriber>): Promise<string[]> {
  const until = Date.now() + SETTLE_MS;
  let left = '';
  while (Date.now() < until) {
    const [row] = await database.query<{ pending: number }>(
      `select count(*)::int as pending from inbound_webhooks where status in ('pending', 'waiting')`,
    );
    const newest = await database.query<{ account_id: string; seq: number }>(
      `select account_id, max(seq)::float8 as seq from events where starts_with(type, 'call.') group by account_id`,
    );
    const behind = newest.filter(({ account_id, seq }) => (subscribers.get(account_id)?.position() ?? seq) < seq);
    if (row?.pending === 0 && behind.length === 0) return [];
    left = `${row?.pending} webhooks pending, ${behind.length} subscribers behind`;
    await pause(250);
  }
  return [`${SETTLE_MS / 1000} s after the last webhook: ${left}`];
}

function answersOf({ outcomes }: Sender): Record<string, number> {
  const total: Record<string, number> = {};
  for (const { answers } of outcomes.values()) {
    for (const [answer, count] of answers) total[answer] = (total[answer] ?? 0) + count;
  }
  return total;
}
