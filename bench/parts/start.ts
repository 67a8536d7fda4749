/** From the command to the ready line, on nothing and on what the last run left; memory at rest. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readyUrl, stopChild } from '../lib/installation.js';
import { createNotebook, type Notebook, type PartResult } from '../lib/notebook.js';
import type { BenchOptions } from '../lib/options.js';
import { residentMb } from '../lib/processes.js';

const GROUP = 'all roles, embedded database';

interface Wish {
  readonly name: string;
  readonly restSeconds: number;
}

async function startOnce(book: Notebook, dataDir: string, { name, restSeconds }: Wish): Promise<void> {
  const { PATH = '', HOME = '' } = process.env;
  const started = performance.now();
  const child = spawn(process.execPath, [resolve('bin/start.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH, HOME, PORT: '0', LOG_LEVEL: 'error', DATA_DIR: dataDir },
  });
  await readyUrl(child);
  book.note(GROUP, name, 's', (performance.now() - started) / 1000);
  if (restSeconds > 0) {
    await pause(restSeconds * 1000);
    book.note(GROUP, 'memory at rest, without the database', 'MB', residentMb(child.pid ?? 0));
  }
  const stopping = performance.now();
  await stopChild(child);
  book.note(GROUP, `stop after a ${name}`, 's', (performance.now() - stopping) / 1000);
}

export async function start(options: BenchOptions): Promise<PartResult> {
  const book = createNotebook('start');
  mkdirSync('.tmp', { recursive: true });
  const folder = mkdtempSync(join(resolve('.tmp'), 'bench-start-'));
  try {
    for (let round = 0; round < options.rounds; round += 1) {
      const dataDir = join(folder, String(round));
      await startOnce(book, dataDir, { name: 'cold start', restSeconds: 0 });
      await startOnce(book, dataDir, { name: 'warm start', restSeconds: options.quick ? 5 : 20 });
      rmSync(dataDir, { recursive: true, force: true });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  book.goal(GROUP, 'cold start', { atMost: 15 });
  book.goal(GROUP, 'warm start', { atMost: 4 });
  book.goal(GROUP, 'memory at rest, without the database', { atMost: 150 });
  return book.result();
}
