import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Makes the data folder and those above it, for its owner alone. @throws Error with one sentence */
export function makeDataFolder(dir: string): void {
  try {
    make(resolve(dir));
  } catch (cause) {
    throw new Error(`The data folder ${dir} cannot be made: set DATA_DIR to a place that can be written.`, { cause });
  }
  if (!statSync(dir).isDirectory()) throw new Error(`${dir} is no folder: set DATA_DIR to one.`);
}

// One by one: mkdirSync with `recursive` never returns where the folder above takes none, as in /proc (Node 20).
function make(dir: string): void {
  if (existsSync(dir)) return;
  if (dirname(dir) !== dir) make(dirname(dir));
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (error) {
    // Somebody who starts at the same time was first.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
