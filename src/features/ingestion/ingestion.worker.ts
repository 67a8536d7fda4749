import { setTimeout as pause } from 'node:timers/promises';
import type { PeriodicJob } from '../../platform/queue/periodic.js';
import type { Queue } from '../../platform/queue/queue.js';
import { BATCH, type Drain } from './drain.js';
import type { NewWebhook } from './inbound-webhook.js';

declare module '../../platform/queue/queue.js' {
  interface JobMap {
    /** Something is in the inbox. Carries nothing: the inbox itself tells what. */
    drain: Record<string, never>;
    'sweep-waiting': Record<string, never>;
    'close-lost-calls': Record<string, never>;
    'delete-old-webhooks': Record<string, never>;
  }
}

const POKE_EVERY_MS = 10;

/**
 * So many in that time find a worker at work, which looks again of itself (`looksAgain`): a poke, which costs as much
 * as a dozen webhooks, is for the case that it has died or has lost the thread.
 */
const CROWD_BETWEEN_POKES = 8;
const POKE_A_CROWD_EVERY_MS = 150;

/** The safety net for a poke that was lost: the process died after the commit, or the queue was out of reach. */
const DRAIN_EVERY_MS = 1000;
const SWEEP_EVERY_MS = 15_000;
const RETENTION_EVERY_MS = 600_000;

export interface Poke {
  (): void;
  stop(): void;
}

/**
 * Wakes a worker over the queue, off the caller's path: the first call at once, those of the next 10 ms together, and of
 * a crowd those of 150 ms.
 */
export function createPoke(queue: Queue, onError: (error: unknown) => void): Poke {
  let timer: NodeJS.Timeout | undefined;
  let calls = 0;
  let isStopped = false;

  function send(rest: number): void {
    calls = 0;
    timer = setTimeout(() => {
      timer = undefined;
      if (calls > 0 && !isStopped) send(isCrowd(calls, rest) ? POKE_A_CROWD_EVERY_MS : POKE_EVERY_MS);
    }, rest).unref();
    queue.add('drain', {}).catch(onError);
  }

  const poke = (): void => {
    if (timer) calls += 1;
    else if (!isStopped) send(POKE_EVERY_MS);
  };
  return Object.assign(poke, {
    stop: () => {
      if (calls > 0) queue.add('drain', {}).catch(onError);
      isStopped = true;
      clearTimeout(timer);
    },
  });
}

const isCrowd = (calls: number, ms: number): boolean => calls * POKE_EVERY_MS >= CROWD_BETWEEN_POKES * ms;

export interface DrainJob {
  /**
   * Stores webhooks and works them off in one transaction, where no run is under way; null: one is. Answers whether
   * they are stored.
   */
  storeAndWorkOff(webhooks: readonly NewWebhook[]): Promise<boolean> | null;
  /** Works until nothing is left; a run that is under way looks once more, and is waited for. */
  run(): Promise<void>;
  /** The same, but a run under way is not waited for: jobs that wait would leave no place to those with other work. */
  wake(): Promise<void>;
  /** Works off what this process has just stored, without a look into the inbox. */
  workOffFresh(): Promise<void>;
  /** Whether so many are being worked off, or wait for it in memory, that what is stored now has its turn only later. */
  isBehind(): boolean;
  /**
   * Resolves when the run under way has ended, where that is soon; null: none is, or it has many in hand, or working off
   * at once has taken long just now.
   */
  soonFree(): Promise<void> | null;
  /** When a look into the inbox last began or ended, on the clock of `performance`. */
  lastLook(): number;
  stop(): Promise<void>;
}

/** After so many at once more come faster than one by one: what gathers meanwhile shares a batch's own cost. */
const CROWD = 24;
/** After so many the machine has no time to spare: as long is gathered as the batch took. So many in hand are a delay. */
const FLOOD = 100;
const GATHER_MS = { least: 15, most: 60 };

/** The longer where the machine is short of time, for then fewer come in a given time. */
const gatheringTime = (count: number, tookMs: number): number => within((tookMs * count) / FLOOD, GATHER_MS);

/**
 * Where working off what is being stored took so long, or as long without a result, carriers are not kept waiting for it
 * for a while.
 */
const LONG_MS = { stored: 250, inVain: 25 };
const CALM_AFTER_MS = 500;

/** Between the looks of a process that stores nothing, a quarter of what the last one took: a crowd gathers, few need not wait. */
const LOOK_AGAIN_MS = { least: 2, most: 50 };
/** For so long after several were found at once looks go on that find nothing: a crowd gets few pokes, and has gaps. */
const GAP = { ms: 60, lookEveryMs: 10, several: 4 };

const within = (ms: number, { least, most }: typeof GATHER_MS): number => Math.min(Math.max(ms, least), most);

type Kind = 'all' | 'fresh';

export interface DrainJobOptions {
  /** Whether to look again of itself soon after a look that found something: for processes that store nothing. */
  readonly looksAgain?: boolean;
}

/** One drain at a time in a process; a poke during a run makes it look once more. */
export function createDrainJob(drain: Drain, { looksAgain = false }: DrainJobOptions = {}): DrainJob {
  let lastLook = Number.NEGATIVE_INFINITY;
  let running = Promise.resolve();
  /** False in the very turn in which the last look was decided: whoever asks afterwards begins a new run. */
  let isRunning = false;
  /** What the next turn of a run is for; null: nothing has come since it began. */
  let wanted: Kind | null = null;
  let isStopping = false;
  let calmFrom = Number.NEGATIVE_INFINITY;
  let nextLook: NodeJS.Timeout | undefined;
  let mayBeGapUntil = Number.NEGATIVE_INFINITY;

  async function turn(kind: Kind): Promise<number> {
    // What is in memory need not be read from the inbox.
    const first = await drain.fresh(() => isStopping || wanted === 'all');
    if (kind === 'fresh') return first;
    lastLook = performance.now();
    const count = await drain.all(() => isStopping);
    lastLook = performance.now();
    return first + count + (await drain.fresh(() => isStopping));
  }

  async function loop(first: Kind | null): Promise<void> {
    isRunning = true;
    clearTimeout(nextLook);
    let count = 0;
    let took = 0;
    try {
      for (let kind = first; kind && !isStopping; kind = wanted) {
        wanted = null;
        const began = performance.now();
        count = await turn(kind);
        took = performance.now() - began;
        // Where a whole batch waits, there is nothing to gather for.
        if (wanted && count >= CROWD && drain.held().waiting < BATCH) await pause(gatheringTime(count, took));
      }
    } finally {
      isRunning = false;
    }
    if (!looksAgain || isStopping) return;
    const now = performance.now();
    if (count >= GAP.several) mayBeGapUntil = now + GAP.ms;
    if (count > 0) nextLook = setTimeout(lookAgain, within(took / 4, LOOK_AGAIN_MS)).unref();
    else if (now < mayBeGapUntil) nextLook = setTimeout(lookAgain, GAP.lookEveryMs).unref();
  }

  function lookAgain(): void {
    // Whoever looks next tells what is wrong.
    want('all')?.catch(() => undefined);
  }

  async function storeAndWorkOff(webhooks: readonly NewWebhook[]): Promise<boolean> {
    const began = performance.now();
    const { isStored, isMore } = await drain.storeAndWorkOff(webhooks);
    const now = performance.now();
    if (now - began >= (isStored ? LONG_MS.stored : LONG_MS.inVain)) calmFrom = now + CALM_AFTER_MS;
    if (isMore) wanted = 'all';
    return isStored;
  }

  /** Begins a run, or has the one that is under way do it too; null: one is. */
  function want(kind: Kind): Promise<void> | null {
    if (isRunning) {
      if (wanted !== 'all') wanted = kind;
      return null;
    }
    running = loop(kind);
    return running;
  }

  function isBehind(): boolean {
    const { underWay, waiting } = drain.held();
    // What a run that failed has left in memory delays nobody.
    return isRunning && Math.max(underWay, waiting) >= FLOOD;
  }

  return {
    run: () => want('all') ?? running,
    wake: () => want('all') ?? Promise.resolve(),
    workOffFresh: () => want('fresh') ?? Promise.resolve(),
    isBehind,
    soonFree() {
      if (!isRunning || isStopping || performance.now() < calmFrom || isBehind()) return null;
      return running.catch(() => undefined);
    },
    storeAndWorkOff(webhooks) {
      if (isRunning || isStopping || performance.now() < calmFrom) return null;
      isRunning = true;
      wanted = null;
      const stored = storeAndWorkOff(webhooks);
      running = stored.then(() => loop(wanted));
      // What could not be worked off then is found in the inbox by the next look, which tells what is wrong.
      running.catch(() => undefined);
      return stored;
    },
    lastLook: () => lastLook,
    async stop() {
      isStopping = true;
      clearTimeout(nextLook);
      await running.catch(() => undefined);
    },
  };
}

/** How long the inbox may go unlooked at before this process looks by itself. */
const LOOK_AFTER_MS = 2000;

/** Looks into the inbox when no job did for a while: an outage of the queue delays webhooks, it does not stop them. */
export function watchInbox(drainJob: Pick<DrainJob, 'lastLook'>, work: () => void): { stop(): void } {
  const timer = setInterval(() => {
    if (performance.now() - drainJob.lastLook() > LOOK_AFTER_MS) work();
  }, LOOK_AFTER_MS / 2).unref();
  return { stop: () => clearInterval(timer) };
}

export interface Sweeps {
  sweepWaiting(): Promise<unknown>;
  closeLostCalls(): Promise<unknown>;
  deleteOldWebhooks(): Promise<unknown>;
}

export function ingestionJobs(drainJob: DrainJob, sweeps: Sweeps): readonly PeriodicJob[] {
  return [
    { name: 'drain', everyMs: DRAIN_EVERY_MS, run: drainJob.wake },
    { name: 'sweep-waiting', everyMs: SWEEP_EVERY_MS, run: sweeps.sweepWaiting },
    { name: 'close-lost-calls', everyMs: SWEEP_EVERY_MS, run: sweeps.closeLostCalls },
    { name: 'delete-old-webhooks', everyMs: RETENTION_EVERY_MS, run: sweeps.deleteOldWebhooks },
  ];
}
