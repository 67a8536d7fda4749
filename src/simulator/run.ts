import { setTimeout as pause } from 'node:timers/promises';
import { type Config, readConfig } from '../platform/config.js';
import { type Api, createApi } from './api.js';
import { awaitBacklog, gatherEvidence } from './evidence.js';
import { type Follower, follow } from './follow.js';
import { compareHeard } from './heard.js';
import { createJournal, type Journal, type RunFacts, readJournal } from './journal.js';
import { helpText, type Options, readOptions } from './options.js';
import { makePlan, type Plan } from './plan.js';
import { type Counts, noCounts, play } from './play.js';
import { showProgress } from './progress.js';
import { createRandom } from './random.js';
import { newRun, type Scene, setScene } from './scene.js';
import { type SignedIn, signIn } from './sign-in.js';
import { inventPeople } from './stories.js';
import { type Findings, findDifferences } from './verify.js';

const MOST_SHOWN = 40;
/** What follows from the last webhooks, such as a parent that is found, may be a moment behind them. */
const SECOND_LOOK_MS = 2000;

/** Does what the command line says; answers the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (!options) {
    console.log(helpText());
    return 0;
  }
  const config = readConfig();
  const past = options.verifyOnly === null ? null : readJournal(options.verifyOnly);
  const url = options.url ?? past?.facts.url ?? `http://127.0.0.1:${config.port}`;
  const signedIn = await enter(url, options, config);
  if (!past) return simulate(url, options, signedIn);
  const api = createApi({ url, patience: options.giveUpAfter, token: signedIn.token });
  return verifyRun(api, past, options);
}

function enter(url: string, { login, giveUpAfter }: Options, config: Config): Promise<SignedIn> {
  const { adminUsername: username, adminPassword: password } = config;
  const known = username !== null && password !== null ? { username, password } : null;
  return signIn({ url, config, patience: giveUpAfter, login: login ?? known });
}

async function simulate(url: string, options: Options, signedIn: SignedIn): Promise<number> {
  const mark = newRun();
  const { giveUpAfter: patience, account, providers, numbers } = options;
  const scene = await setScene({ url, patience, signedIn, account, providers, numbers }, mark);
  const plan = makePlan({
    ...options,
    run: mark,
    base: Date.now(),
    numbers: scene.numbers,
    people: inventPeople(options.seed),
  });
  const carriers = Object.fromEntries([...scene.lines].map(([provider, { carrierId }]) => [provider, carrierId]));
  const facts = { run: mark, url, seed: options.seed, calls: options.calls, carriers };
  const journal = createJournal({ ...facts, numbers: scene.numbers, afterSeq: scene.afterSeq }, options.out);
  console.log(`${url}, as ${signedIn.as}: ${options.calls} calls of ${providers.join(', ')}, seed ${options.seed}`);
  const follower = options.cuts === null ? null : followRun(url, scene, { ...options, cuts: options.cuts, plan });
  try {
    const counts = await send(plan, { options, scene, journal });
    journal.close();
    report(plan, journal, counts);
    const isAnswered = counts.refused + counts.givenUp === 0 && counts.begun === counts.toSend;
    const heardCode = follower ? await verifyHeard(scene.api, follower, { facts: journal.facts, options }) : 0;
    const code = options.verify ? await verifyRun(scene.api, journal, options) : 0;
    return isAnswered ? Math.max(code, heardCode) : 1;
  } finally {
    follower?.close();
  }
}

interface Following {
  readonly plan: Plan;
  readonly cuts: number;
  readonly seed: string;
}

function followRun(url: string, { token, afterSeq: after }: Scene, { plan, cuts, seed }: Following): Follower {
  const overMs = plan.deliveries.at(-1)?.due ?? 0;
  return follow({ url, token, after, cuts, overMs, random: createRandom(seed, 'cuts') });
}

interface Hearer {
  readonly facts: RunFacts;
  readonly options: Options;
}

async function verifyHeard(api: Api, follower: Follower, { facts, options }: Hearer): Promise<number> {
  await awaitBacklog(api, facts, options.giveUpAfter);
  const stored: number[] = [];
  for await (const { seq } of api.all(`/api/call_events/?after=${facts.afterSeq}&limit=500`)) stored.push(Number(seq));
  await follower.hasReached(stored.at(-1) ?? facts.afterSeq, options.giveUpAfter);
  const { lost, doubled, disordered, unknown } = compareHeard(follower.seqs, stored);
  console.log(
    `${stored.length} events followed over ${follower.connections()} live connections: ` +
      `${lost} lost, ${doubled} doubled, ${disordered} out of order, ${unknown} unknown`,
  );
  return lost + doubled + disordered + unknown === 0 ? 0 : 1;
}

interface Sending {
  readonly options: Options;
  readonly scene: Scene;
  readonly journal: Journal;
}

async function send(plan: Plan, { options, scene, journal }: Sending): Promise<Counts> {
  const counts = noCounts(plan.deliveries.length);
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const progress = showProgress(counts);
  const { concurrency, giveUpAfter } = options;
  await play({ plan, lines: scene.lines, journal, counts, concurrency, giveUpAfter, signal: stop.signal });
  progress.stop();
  process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  return counts;
}

function report(plan: Plan, journal: Journal, counts: Counts): void {
  const records = [...journal.records.values()];
  const answered = records.filter(({ answeredAt }) => answeredAt !== null).length;
  const lost = plan.calls.reduce((sum, call) => sum + call.lost.length, 0);
  const twice = plan.deliveries.filter(({ attempt }) => attempt > 1).length;
  const parts = [
    `${records.length} webhooks sent, ${answered} answered 2xx`,
    `${twice} of them sent twice`,
    `${lost} lost on purpose`,
    `${counts.again} attempts made again`,
  ];
  console.log(parts.join(', '));
  if (counts.refused > 0) console.log(`${counts.refused} were refused; the last one: ${counts.failure}`);
  if (counts.givenUp > 0) console.log(`${counts.givenUp} were given up; the last one: ${counts.failure}`);
}

type Run = Pick<Journal, 'facts' | 'records'>;

async function verifyRun(api: Api, past: Run, options: Options): Promise<number> {
  if (!(await awaitBacklog(api, past.facts, options.giveUpAfter))) {
    console.log('The switchboard has not worked off all webhooks in time.');
  }
  const look = async (): Promise<Findings> => {
    const evidence = await gatherEvidence(api, past.facts);
    return findDifferences(past, evidence, { tolerance: options.tolerance, now: Date.now() });
  };
  let findings = await look();
  if (findings.differences.length > 0) {
    await pause(SECOND_LOOK_MS);
    findings = await look();
  }
  const { differences, calls, right, legs } = findings;
  for (const text of differences.slice(0, MOST_SHOWN)) console.log(`  ${text}`);
  if (differences.length > MOST_SHOWN) console.log(`  and ${differences.length - MOST_SHOWN} more differences`);
  const silent = past.facts.calls - calls;
  if (silent > 0) console.log(`${silent} calls of which nothing was sent are not counted`);
  console.log(`${legs} legs looked at, each member, each event`);
  console.log(`${right} of ${calls} call logs right`);
  return differences.length === 0 && right === calls ? 0 : 1;
}
