import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';

const EXTRA_MICROSECONDS = 2000;

/** The environment that makes PostgreSQL's disk slow, or a sentence why that cannot be had here. */
export function slowDisk(): Readonly<Record<string, string>> | string {
  if (process.platform !== 'linux') return 'The slow disk needs Linux (LD_PRELOAD).';
  const library = resolve('.tmp', 'slowsync.so');
  mkdirSync('.tmp', { recursive: true });
  const source = resolve('bench/slow-disk/slowsync.c');
  const built = spawnSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, source, '-ldl'], { encoding: 'utf8' });
  if (built.error) return 'The slow disk needs a C compiler (cc), and there is none on the path.';
  if (built.status !== 0) return `The slow disk could not be built: ${built.stderr.trim()}`;
  return { LD_PRELOAD: library, SLOW_SYNC_US: String(EXTRA_MICROSECONDS) };
}
