import { buildRivals } from './lib/build.js';
import type { PartResult } from './lib/notebook.js';
import { type BenchOptions, HELP, type PartName, readOptions } from './lib/options.js';
import { printPart } from './lib/report.js';
import { conditionsOf, writeResults } from './lib/results.js';
import { auth } from './parts/auth.js';
import { growth } from './parts/growth.js';
import { ingest } from './parts/ingest.js';
import { live } from './parts/live.js';
import { reads } from './parts/reads.js';
import { start } from './parts/start.js';

type Part = (options: BenchOptions) => Promise<PartResult>;

const MEASURE: Readonly<Record<PartName, Part>> = { ingest, growth, live, reads, auth, start };

async function run(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv, process.env);
  if (!options) return console.log(HELP);
  buildRivals();
  const conditions = conditionsOf(options);
  const results: PartResult[] = [];
  for (const part of options.parts) {
    const measure = MEASURE[part];
    console.log(`\n${part} …`);
    const result = await measure(options);
    results.push(result);
    printPart(result);
  }
  const path = writeResults(conditions, results, options.add);
  const judged = results.flatMap(({ rows }) => rows).filter(({ met }) => met !== null);
  console.log(`\n${judged.filter(({ met }) => met).length} of ${judged.length} goals met. The figures are in ${path}.`);
}

// What was started is ended when this process exits, and a signal alone would not let it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

run(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
