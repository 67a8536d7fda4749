import { setTimeout as pause } from 'node:timers/promises';
import { type CallFilter, connectLive, type LiveClient } from '../../src/client/index.js';
import type { StoredEvent } from '../../src/features/events/index.js';
import { judge } from '../../src/features/live/index.js';
import { sendLoad } from './http-load.js';
import { type Api, type RunningProcess, signIn, withClient } from './installation.js';
import { createRandom, makeTraffic } from './traffic.js';

export interface SoakOptions {
  /** Its own; the processes migrate it. */
  readonly databaseUrl: string;
  /** Starts a process with these roles on this port (0: a free one). */
  readonly start: (roles: string, port: number) => Promise<RunningProcess>;
  /** The first operator. */
  readonly admin: Login;
  readonly subscribers: number;
  readonly events: number;
  /** How often each socket is cut. */
  readonly cuts: number;
  /** How often each live node and the worker are killed with SIGKILL. */
  readonly kills: number;
  /** Webhooks a second. */
  readonly rate: number;
  readonly seed: number;
  readonly say?: (line: string) => void;
}

export interface SoakReport {
  readonly stored: number;
  readonly delivered: number;
  readonly lost: number;
  readonly doubled: number;
  readonly disordered: number;
  /** Seen without permission, or against the filter. */
  readonly strange: number;
}

export interface Login {
  readonly username: string;
  readonly password: string;
}

interface Subscriber {
  readonly login: Login;
  readonly userId: string | null;
  readonly filter: CallFilter;
  readonly seqs: number[];
  client: LiveClient | null;
  cutsLeft: number;
}

const SECRET = `whsec_${Buffer.alloc(24, 3).toString('base64')}`;
const MEMBERS = 10;
const TOKEN_LIFE_MS = 200_000;

/** Subscribers of all kinds on two live nodes, while sockets are cut and processes killed; then the books are compared. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const say = options.say ?? (() => undefined);
  const random = createRandom(options.seed);
  const cast = createCast(options.start);
  const [apiNode, worker, ...nodes] = await Promise.all([
    ...[cast.start('api'), cast.start('worker')],
    ...[cast.start('live'), cast.start('live')],
  ]);
  if (!apiNode || !worker) throw new Error('No process was started.');
  try {
    const scene = await setScene(apiNode.url(), options.admin);
    const tokenOf = createTokens(apiNode.url());
    const subscribers = Array.from({ length: options.subscribers }, (_, place) => describe(scene, place, options));
    const connect = (subscriber: Subscriber): void => {
      const node = nodes[Math.floor(random() * nodes.length)] ?? nodes[0];
      const last = subscriber.client?.seq ?? 0;
      subscriber.client?.close();
      subscriber.client = connectLive({
        url: node?.url() ?? '',
        token: () => tokenOf(subscriber.login),
        after: last,
        filter: subscriber.filter,
        retryMs: [50, 1000],
      });
      subscriber.client.on('event', ({ seq }) => subscriber.seqs.push(seq));
    };
    for (const subscriber of subscribers) connect(subscriber);
    say(`${subscribers.length} subscribers, ${options.events} events at ${options.rate}/s`);

    const load = makeTraffic({
      ...{ calls: Math.ceil(options.events / 2), paths: [scene.path], secret: SECRET, numbers: [scene.numbers] },
      ...{ seed: options.seed, tag: `soak-${options.seed}` },
    });
    const durationMs = (load.length / options.rate) * 1000;
    const trouble = Promise.all([
      ...subscribers.map((subscriber) => cutNowAndThen(subscriber, connect, { durationMs, random })),
      killNowAndThen([...nodes, worker], { durationMs, random, times: options.kills, say }),
    ]);
    await sendLoad(load, { port: Number(new URL(apiNode.url()).port), connections: 16, rate: options.rate });
    await trouble;
    say('all sent; waiting for the last of it');
    const stored = await settled(options.databaseUrl, scene.accountId);
    return await compare(stored, subscribers, say);
  } finally {
    await cast.end();
  }
}

interface Actor {
  url(): string;
  kill(): Promise<void>;
}

/** Starts processes, and starts them again on their port after they were killed. */
function createCast(launchProcess: SoakOptions['start']) {
  const running = new Set<RunningProcess>();
  async function launch(roles: string, port = 0): Promise<RunningProcess> {
    const started = await launchProcess(roles, port);
    running.add(started);
    return started;
  }
  return {
    async start(roles: string): Promise<Actor> {
      let current = await launch(roles);
      return {
        url: () => current.url,
        async kill() {
          const { port } = current;
          running.delete(current);
          process.kill(current.pid, 'SIGKILL');
          current = await launch(roles, port);
        },
      };
    },
    end: () => Promise.all([...running].map((one) => one.stop())),
  };
}

interface Scene {
  readonly accountId: string;
  readonly path: string;
  readonly numbers: readonly string[];
  readonly numberIds: readonly string[];
  readonly members: readonly { readonly id: string; readonly login: Login }[];
}

async function setScene(url: string, admin: Login): Promise<Scene> {
  const api: Api = await signIn(url, admin);
  const carrier = await api<{ webhook_url: string; account_id: string }>('POST', '/api/carriers/', {
    ...{ provider: 'generic', name: 'soak', credentials: { secret: SECRET } },
  });
  const members: { id: string; login: Login }[] = [];
  const numbers: string[] = [];
  const numberIds: string[] = [];
  for (let i = 0; i < MEMBERS; i += 1) {
    const login = { username: `soak-${i}`, password: 'soak-password' };
    const user = await api<{ id: string }>('POST', '/api/users/', { ...login, role: 'member' });
    members.push({ id: user.id, login });
    for (let k = 0; k < 2; k += 1) {
      const number = `+1999${String(1_000_000 + numbers.length)}`;
      const made = await api<{ id: string }>('POST', '/api/virtual_numbers/', {
        phone_number: number,
        user_id: user.id,
      });
      numbers.push(number);
      numberIds.push(made.id);
    }
  }
  const { account_id: accountId } = carrier;
  return { accountId, path: new URL(carrier.webhook_url).pathname, numbers, numberIds, members };
}

/** A third admins without a filter, a third members, a third admins and members with one. */
function describe(scene: Scene, place: number, { admin, cuts }: SoakOptions): Subscriber {
  const member = scene.members[place % scene.members.length];
  const kind = place % 3;
  const filters: CallFilter[] = [
    { types: ['call.ended'] },
    { virtual_number_ids: scene.numberIds.slice(place % 10, (place % 10) + 6) },
    { user_ids: [member?.id ?? null], directions: ['incoming'] },
    { directions: ['outgoing'] },
  ];
  const isMember = kind === 1 || (kind === 2 && place % 2 === 0);
  return {
    login: isMember && member ? member.login : admin,
    userId: isMember && member ? member.id : null,
    filter: kind === 2 ? (filters[Math.floor(place / 3) % filters.length] ?? {}) : {},
    seqs: [],
    client: null,
    cutsLeft: cuts,
  };
}

/** One sign-in for a user, made anew before it ends. */
function createTokens(url: string): (login: Login) => Promise<string> {
  const kept = new Map<string, { token: Promise<string>; until: number }>();
  return (login) => {
    const known = kept.get(login.username);
    if (known && known.until > Date.now()) return known.token;
    const headers = { 'content-type': 'application/json' };
    const token = fetch(`${url}/api/token/`, { method: 'POST', headers, body: JSON.stringify(login) }).then(
      async (response) => ((await response.json()) as { access: string }).access,
    );
    kept.set(login.username, { token, until: Date.now() + TOKEN_LIFE_MS });
    return token;
  };
}

interface Trouble {
  readonly durationMs: number;
  readonly random: () => number;
}

async function cutNowAndThen(
  subscriber: Subscriber,
  connect: (subscriber: Subscriber) => void,
  { durationMs, random }: Trouble,
): Promise<void> {
  const share = durationMs / (subscriber.cutsLeft + 1);
  for (; subscriber.cutsLeft > 0; subscriber.cutsLeft -= 1) {
    await pause(share * (0.5 + random()));
    connect(subscriber);
  }
}

async function killNowAndThen(
  cast: readonly Actor[],
  { durationMs, random, times, say }: Trouble & { times: number; say: (line: string) => void },
): Promise<void> {
  const share = durationMs / (times * cast.length + 1);
  for (let round = 0; round < times; round += 1) {
    for (const one of cast) {
      await pause(share * (0.5 + random() * 0.5));
      say(`kill -9, and start again: ${one.url()}`);
      await one.kill();
    }
  }
}

/** The account's call events when no webhook waits any more. */
async function settled(databaseUrl: string, accountId: string): Promise<StoredEvent[]> {
  return withClient(databaseUrl, async (client) => {
    for (;;) {
      const waiting = `select count(*)::int as n from inbound_webhooks where status = 'pending'`;
      const { rows } = await client.query<{ n: number }>(waiting);
      if (rows[0]?.n === 0) break;
      await pause(100);
    }
    const { rows } = await client.query(
      `select seq::int, type, payload, before from events where account_id = $1 and type like 'call.%' order by seq`,
      [accountId],
    );
    return rows as StoredEvent[];
  });
}

/** Without any progress. */
const PATIENCE_MS = 20_000;

async function compare(
  stored: readonly StoredEvent[],
  subscribers: readonly Subscriber[],
  say: (line: string) => void,
): Promise<SoakReport> {
  const due = subscribers.map((subscriber) =>
    stored.filter((event) => judge(subscriber, event) === 'send').map(({ seq }) => seq),
  );
  const isShort = (subscriber: Subscriber, place: number): boolean =>
    subscriber.seqs.length < (due[place]?.length ?? 0);
  const count = (): number => subscribers.reduce((sum, { seqs }) => sum + seqs.length, 0);
  let until = Date.now() + PATIENCE_MS;
  for (let known = count(); Date.now() < until && subscribers.some(isShort); known = Math.max(known, count())) {
    if (count() > known) until = Date.now() + PATIENCE_MS;
    await pause(100);
  }
  const report = { stored: stored.length, delivered: 0, lost: 0, doubled: 0, disordered: 0, strange: 0 };
  subscribers.forEach((subscriber, place) => {
    const { seqs, client } = subscriber;
    if (isShort(subscriber, place)) say(explain(subscriber, due[place] ?? []));
    client?.close();
    const expected = new Set(due[place]);
    const got = new Set(seqs);
    report.delivered += seqs.length;
    report.lost += [...expected].filter((seq) => !got.has(seq)).length;
    report.doubled += seqs.length - got.size;
    report.disordered += seqs.filter((seq, i) => seq < (seqs[i - 1] ?? 0)).length;
    report.strange += [...got].filter((seq) => !expected.has(seq)).length;
  });
  return report;
}

function explain({ seqs, client, filter, userId }: Subscriber, due: readonly number[]): string {
  const got = new Set(seqs);
  const missing = due.filter((seq) => !got.has(seq));
  const facts = {
    ...{ missing: missing.length, first: missing[0], last: missing.at(-1), newestGot: seqs.at(-1) },
    ...{ isConnected: client?.isConnected, cursor: client?.seq, isMember: userId !== null, filter },
  };
  return `short: ${JSON.stringify(facts)}`;
}
