import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of its own that the run removes when it ends. */
export function makeScratchDirectory(): string {
  return mkdtempSync(join(process.env.TEST_DIR ?? tmpdir(), 'scratch-'));
}
