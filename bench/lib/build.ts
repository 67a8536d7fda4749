import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const COMPILER = 'node_modules/typescript/bin/tsc';

/** Compiles the rivals as the product is compiled: what is compared runs under the same conditions. */
export function buildRivals(): void {
  const { status } = spawnSync(process.execPath, [resolve(COMPILER), '--project', resolve('bench/tsconfig.json')], {
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error('The rivals could not be compiled.');
}

export const rival = (name: string): string => `.tmp/bench-rivals/bench/rivals/${name}.js`;
