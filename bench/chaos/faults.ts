import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from './calls.js';
import type { ChaosDatabase } from './database.js';
import type { Member, Role } from './processes.js';
import type { ChaosRedis } from './redis.js';
import type { Cut, Wire } from './wire.js';

export interface Targets {
  readonly members: readonly Member[];
  readonly database: ChaosDatabase;
  readonly redis: ChaosRedis | null;
  /** By member: its wire to the database, and to Redis. */
  readonly toDatabase: ReadonlyMap<string, Wire>;
  readonly toRedis: ReadonlyMap<string, Wire>;
}

export interface Fault {
  readonly name: string;
  /** Faults of one subject do not overlap. */
  readonly subject: string;
  /** Does it, waits, and undoes it. */
  run(lastsMs: number): Promise<void>;
  /** Resolves when its subject can be struck again. */
  recovery?(): Promise<unknown>;
}

export interface PlannedFault {
  readonly fault: Fault;
  readonly atMs: number;
  readonly lastsMs: number;
}

const ROLES: readonly Role[] = ['api', 'worker', 'live'];
const MOST_SHIFT_MS = 120_000;

/** Every fault that can be had here. `tell` gets what is noteworthy about a run of one. */
export function listFaults(targets: Targets, random: Random, tell: (violation: string) => void): Fault[] {
  return [
    ...ROLES.flatMap((role) => processFaults(role, { targets, random, tell })),
    ...databaseFaults(targets, random),
    ...redisFaults(targets, random),
  ];
}

interface ProcessParts {
  readonly targets: Targets;
  readonly random: Random;
  readonly tell: (violation: string) => void;
}

const STOP_WITHIN_MS = 10_000;

function processFaults(role: Role, { targets, random, tell }: ProcessParts): Fault[] {
  const members = targets.members.filter((member) => member.role === role);
  const fault = (name: string, strike: (member: Member, lastsMs: number) => Promise<void>): Fault => ({
    name: `${role} ${name}`,
    subject: role,
    run: (lastsMs) => strike(pick(members, random), lastsMs),
    recovery: () => Promise.all(members.map((member) => member.ready())),
  });
  return [
    fault('killed', async (member, lastsMs) => {
      await member.kill();
      await pause(lastsMs);
      member.start();
    }),
    fault('paused', async (member, lastsMs) => {
      member.pause();
      await pause(lastsMs);
      member.resume();
    }),
    fault('stopped and started', async (member, lastsMs) => {
      const { code, ms } = await member.stop();
      if (code !== 0) tell(`${member.name} ended with ${code} when it was asked to stop`);
      if (ms > STOP_WITHIN_MS) tell(`${member.name} took ${ms} ms to stop`);
      await pause(Math.min(lastsMs, 1000));
      member.start();
    }),
    fault('with a wrong clock', async (member, lastsMs) => {
      await member.kill();
      member.start(Math.round((random() * 2 - 1) * MOST_SHIFT_MS));
      await member.ready();
      await pause(lastsMs);
      await member.kill();
      member.start();
    }),
  ];
}

function databaseFaults({ database, toDatabase, members }: Targets, random: Random): Fault[] {
  const wires = [...toDatabase.values()];
  const subject = 'database';
  const own = (): Wire => toDatabase.get(pick(members, random).name) ?? pick(wires, random);
  const cut = (name: string, chosen: () => readonly Wire[], how: Cut): Fault => ({
    ...{ name, subject },
    run: (lastsMs) => cutOff(chosen(), how, lastsMs),
  });
  const full: Fault[] =
    database.noFullDisk === null
      ? [
          {
            name: 'disk full',
            subject,
            async run(lastsMs) {
              database.fillDisk();
              await pause(lastsMs);
              database.freeDisk();
            },
          },
        ]
      : [];
  return [
    {
      name: 'database killed',
      subject,
      async run(lastsMs) {
        await database.kill();
        await pause(lastsMs);
        await database.start();
      },
    },
    {
      name: 'database paused',
      subject,
      async run(lastsMs) {
        database.pause();
        await pause(lastsMs);
        database.resume();
      },
    },
    cut('database refuses all', () => wires, 'refuse'),
    cut('database stalls for all', () => wires, 'stall'),
    cut('database falls silent for all', () => wires, 'silence'),
    cut('database refuses one', () => [own()], 'refuse'),
    cut('database stalls for one', () => [own()], 'stall'),
    cut('database falls silent for one', () => [own()], 'silence'),
    ...full,
  ];
}

function redisFaults({ redis, toRedis }: Targets, random: Random): Fault[] {
  if (!redis) return [];
  const wires = [...toRedis.values()];
  const subject = 'redis';
  const cut = (name: string, chosen: () => readonly Wire[], how: Cut): Fault => ({
    ...{ name, subject },
    run: (lastsMs) => cutOff(chosen(), how, lastsMs),
  });
  return [
    {
      name: 'Redis killed',
      subject,
      async run(lastsMs) {
        await redis.kill();
        await pause(lastsMs);
        await redis.start();
      },
    },
    {
      name: 'Redis paused',
      subject,
      async run(lastsMs) {
        redis.pause();
        await pause(lastsMs);
        redis.resume();
      },
    },
    { name: 'Redis flushed', subject, run: () => redis.flush() },
    cut('Redis refuses all', () => wires, 'refuse'),
    cut('Redis stalls for all', () => wires, 'stall'),
    cut('Redis falls silent for all', () => wires, 'silence'),
    cut('Redis refuses one', () => [pick(wires, random)], 'refuse'),
  ];
}

async function cutOff(wires: readonly Wire[], how: Cut, lastsMs: number): Promise<void> {
  for (const wire of wires) wire[how]();
  await pause(lastsMs);
  for (const wire of wires) wire.open();
}

function pick<T>(list: readonly T[], random: Random): T {
  const found = list[Math.floor(random() * list.length)];
  if (found === undefined) throw new Error('There is nothing to pick from.');
  return found;
}

export interface ScheduleWish {
  readonly count: number;
  readonly overMs: number;
  readonly longestMs: number;
}

/** Each kind once before any comes twice, spread over the time. */
export function schedule(
  faults: readonly Fault[],
  { count, overMs, longestMs }: ScheduleWish,
  random: Random,
): PlannedFault[] {
  const deck: Fault[] = [];
  while (deck.length < count) {
    const round = [...faults];
    while (round.length > 0) deck.push(...round.splice(Math.floor(random() * round.length), 1));
  }
  const gap = overMs / (count + 1);
  return deck.slice(0, count).map((fault, place) => ({
    fault,
    atMs: gap * (place + 0.5 + random() * 0.5),
    lastsMs: Math.round(longestMs * (0.15 + 0.85 * random())),
  }));
}
