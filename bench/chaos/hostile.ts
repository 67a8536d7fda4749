/**
 * Somebody hostile against one process: half-sent requests on many connections, huge and deep bodies, wrong passwords,
 * all at the lowest priority. What it does to the others' requests, to the memory and to the processor.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type LoadRequest, sendLoad } from '../lib/http-load.js';
import { openGround, type RunningProcess, signIn, startProcess } from '../lib/installation.js';
import { cpuSeconds, residentMb } from '../lib/processes.js';
import { quantile } from '../lib/statistics.js';

export interface HostileOptions {
  /** Connections that send a byte a second. */
  readonly slow: number;
  /** Wrong passwords a second. */
  readonly passwords: number;
  /** How long is measured, in calm and under attack. */
  readonly seconds: number;
}

export interface HostileReport {
  readonly calm: Figures;
  readonly attacked: Figures;
  readonly growthMb: number;
  /** What the attacker was answered, by status; `none`: the connection was closed on it. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Wrong passwords that were answered a second: at its priority it waits for everybody else on the machine. */
  readonly passwordsASecond: number;
}

export interface Figures {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Seconds of processor that the process used in a second. */
  readonly cpu: number;
}

/** Ordinary requests a second, from so many accounts that none comes near its limit. */
const RATE = 40;
const ACCOUNTS = 6;
const WARM_UP_SECONDS = 2;
const LOOK_EVERY_MS = 200;

export async function runHostile(options: HostileOptions): Promise<HostileReport> {
  const ground = await openGround();
  try {
    const databaseUrl = await ground.createDatabase('hostile');
    const server = await startProcess({ databaseUrl, folder: ground.folder, settings: { RATE_LIMITS: 'on' } });
    const requests = await ordinaryRequests(server, options.seconds);
    await measure(server, requests.slice(0, RATE * WARM_UP_SECONDS));
    const calm = await measure(server, requests);
    const before = residentMb(server.pid);
    const attack = await startAttack(server, options);
    const peak = watchMemory(server);
    try {
      await pause(WARM_UP_SECONDS * 1000);
      const attacked = await measure(server, requests);
      const growthMb = peak.stop() - before;
      return { calm, attacked, growthMb, ...(await attack.stop()) };
    } finally {
      attack.child.kill('SIGKILL');
      await server.stop();
    }
  } finally {
    await ground.close();
  }
}

async function ordinaryRequests({ url }: RunningProcess, seconds: number): Promise<LoadRequest[]> {
  const operator = await signIn(url);
  const tokens: string[] = [];
  for (let place = 0; place < ACCOUNTS; place += 1) {
    const login = { username: `ordinary-${place}`, password: 'ordinary password' };
    await operator('POST', '/api/accounts/', { name: login.username, ...login });
    tokens.push((await signIn(url, login)).token);
  }
  return Array.from({ length: RATE * seconds }, (_, place) => {
    const token = tokens[place % ACCOUNTS];
    const head = `GET /api/virtual_numbers/ HTTP/1.1\r\nHost: switchboard\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    return { id: String(place), bytes: Buffer.from(head) };
  });
}

async function measure({ port, pid }: RunningProcess, requests: readonly LoadRequest[]): Promise<Figures> {
  const cpu = cpuSeconds(pid);
  const { statuses, latencies, seconds } = await sendLoad(requests, { port, connections: 16, rate: RATE });
  if (statuses[200] !== requests.length)
    throw new Error(`Ordinary requests were answered ${JSON.stringify(statuses)}.`);
  const used = (cpuSeconds(pid) - cpu) / seconds;
  return { p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99), cpu: used };
}

interface Attack {
  readonly child: ChildProcess;
  stop(): Promise<Pick<HostileReport, 'refusals' | 'passwordsASecond'>>;
}

async function startAttack({ port }: RunningProcess, { slow, passwords }: HostileOptions): Promise<Attack> {
  const script = ['--import', 'tsx', resolve('bench/chaos/attacker.ts'), ...[port, slow, passwords].map(String)];
  const child = spawn('nice', ['-n', '19', process.execPath, ...script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  child.stdout.on('data', (chunk) => {
    told += chunk;
  });
  // At its priority it may be long until it begins.
  await once(child.stdout, 'data');
  return {
    child,
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'close');
      return JSON.parse(told.split('\n').at(-1) ?? '');
    },
  };
}

/** The most memory that the process held until it is stopped. */
function watchMemory({ pid }: RunningProcess): { stop(): number } {
  let most = residentMb(pid);
  const timer = setInterval(() => {
    most = Math.max(most, residentMb(pid));
  }, LOOK_EVERY_MS);
  return {
    stop() {
      clearInterval(timer);
      return most;
    },
  };
}
