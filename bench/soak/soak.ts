import { setTimeout as pause } from 'node:timers/promises';
import { withClient } from '../lib/installation.js';
import { createRandom } from '../lib/traffic.js';
import { castSubscriber, createAudience, type Subscriber } from './audience.js';
import { type Balance, balance, dueTo, type StoredRow, total } from './books.js';
import { createSoakSender, makeCalls, type SoakSender, type SoakWebhook, WEBHOOKS_PER_CALL } from './calls.js';
import { createCast, type Launch } from './processes.js';
import { createTokens, type Login, setScene } from './scene.js';
import { createTagger } from './tagger.js';

/** Something that is killed and started again. */
export interface Trouble {
  readonly name: string;
  strike(): Promise<void>;
}

export interface SoakOptions {
  /** Its own; the processes migrate it. */
  readonly databaseUrl: string;
  readonly launch: Launch;
  /** The first operator. */
  readonly admin: Login;
  readonly subscribers: number;
  /** Webhooks that tell a fact of a call each; the changes of tags come on top. */
  readonly events: number;
  /** How often each socket is cut. */
  readonly cuts: number;
  /** How often each live node, the worker and each of `services` are killed. */
  readonly kills: number;
  /** Database and queue, where they are the run's own. */
  readonly services?: readonly Trouble[];
  /** Webhooks a second. */
  readonly rate: number;
  readonly seed: number;
  readonly say?: (line: string) => void;
}

export interface SoakReport extends Balance {
  /** Call events in the log. */
  readonly stored: number;
  readonly cuts: number;
  readonly kills: number;
  /** Webhooks that had to be sent again. */
  readonly repeats: number;
}

/** Subscribers of all kinds on two live nodes, while sockets are cut and processes killed; then the books are compared. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const say = options.say ?? (() => undefined);
  const random = createRandom(options.seed);
  const cast = createCast(options.launch);
  try {
    const api = await cast.start('api');
    const [worker, ...nodes] = await Promise.all(['worker', 'live', 'live'].map((roles) => cast.start(roles)));
    if (!worker) throw new Error('No worker was started.');
    const scene = await setScene(api.url(), options.admin);
    const token = createTokens(api.url());
    const subscribers = Array.from({ length: options.subscribers }, (_, place) =>
      castSubscriber(scene, place, options.admin),
    );
    const tagger = createTagger(api.url(), () => token(options.admin));
    const urls = nodes.map((node) => node.url());
    const audience = createAudience(subscribers, { urls, token, random, see: tagger.see });
    audience.connectAll();
    say(`${subscribers.length} subscribers, ${options.events} events at ${options.rate}/s`);

    const calls = makeCalls(Math.ceil(options.events / WEBHOOKS_PER_CALL), scene, options.seed);
    const sender = createSoakSender(api.url() + scene.webhookPath, options.rate);
    const processes = [...nodes, worker].map((actor, place): Trouble => {
      return { name: place < nodes.length ? `live node ${place + 1}` : 'worker', strike: () => actor.kill() };
    });
    const troubles = Array.from({ length: options.kills }, () => [...processes, ...(options.services ?? [])]).flat();
    const [cuts] = await Promise.all([
      audience.cutNowAndThen(options.cuts, () => sender.taken() / calls.length),
      sendThroughTroubles(calls, troubles, { ...options, sender, random, say }),
    ]);
    sender.end();
    const stored = await settle(options, scene.accountId, tagger.finish);
    say(`all sent: ${stored.length} events; waiting for the last of it`);
    const books = await compare(stored, subscribers, say);
    audience.closeAll();
    return { stored: stored.length, ...books, cuts, kills: troubles.length, repeats: sender.repeats() };
  } finally {
    await cast.end();
  }
}

interface Play {
  readonly sender: SoakSender;
  readonly rate: number;
  readonly random: () => number;
  readonly say: (line: string) => void;
}

/** A portion of the webhooks for each trouble, which comes while that is sent, however slow the machine is. */
async function sendThroughTroubles(
  webhooks: readonly SoakWebhook[],
  troubles: readonly Trouble[],
  { sender, rate, random, say }: Play,
): Promise<void> {
  const begun = Date.now();
  const size = Math.ceil(webhooks.length / (troubles.length + 1));
  for (let place = 0; place <= troubles.length; place += 1) {
    const portion = webhooks.slice(place * size, (place + 1) * size);
    const strike = async ({ name, strike }: Trouble): Promise<void> => {
      await pause(random() * 0.5 * (portion.length / rate) * 1000);
      say(`${((Date.now() - begun) / 1000).toFixed(1).padStart(6)} s  killed, and started again: ${name}`);
      await strike();
    };
    const trouble = troubles[place];
    await Promise.all([sender.send(portion), trouble && strike(trouble)]);
  }
}

/** The account's call events when nothing waits any more and every tag has been set. */
function settle({ databaseUrl }: SoakOptions, accountId: string, finishTags: () => Promise<number>) {
  return withClient(databaseUrl, async (client): Promise<StoredRow[]> => {
    for (let known = -1; ; await pause(200)) {
      await finishTags();
      const { rows } = await client.query<{ pending: number; newest: number }>(
        `select (select count(*)::int from seen_webhooks where status in ('pending', 'waiting')) as pending,
           (select seq::int from account_counters where account_id = $1) as newest`,
        [accountId],
      );
      const [now] = rows;
      // Tags follow events, and events follow tags: it is over when a look finds nothing new.
      if (now?.pending === 0 && now.newest === known) break;
      known = now?.newest ?? -1;
    }
    const { rows } = await client.query<StoredRow>(
      `select seq::int, type, payload, before from events where account_id = $1 and type like 'call.%' order by seq`,
      [accountId],
    );
    return rows;
  });
}

/** Without any progress. */
const PATIENCE_MS = 20_000;

async function compare(
  stored: readonly StoredRow[],
  subscribers: readonly Subscriber[],
  say: (line: string) => void,
): Promise<Balance> {
  const expected = subscribers.map((subscriber) => dueTo(subscriber, stored));
  const dueCount = expected.reduce((sum, { size }) => sum + size, 0);
  const gotCount = (): number => subscribers.reduce((sum, { seqs }) => sum + seqs.length, 0);
  let until = Date.now() + PATIENCE_MS;
  for (let known = gotCount(); known < dueCount && Date.now() < until; await pause(100)) {
    const now = gotCount();
    if (now > known) until = Date.now() + PATIENCE_MS;
    known = now;
  }
  const balances = subscribers.map((subscriber, place) => balance(subscriber, expected[place] ?? new Map()));
  subscribers.forEach(({ client, filter, userId }, place) => {
    const { delivered: _, removals: __, ...wrong } = balances[place] as Balance;
    if (Object.values(wrong).every((count) => count === 0)) return;
    const where = { isConnected: client?.isConnected, cursor: client?.seq, isMember: userId !== null, filter };
    say(`wrong: ${JSON.stringify({ place, ...wrong, ...where })}`);
  });
  return total(balances);
}
