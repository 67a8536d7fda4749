import { parseArgs } from 'node:util';
import { PROVIDERS } from '../features/carriers/index.js';
import type { Ingestion, RebuildWish } from '../features/ingestion/index.js';
import { isId } from '../lib/ids.js';

export const REBUILD_USAGE =
  'rebuild-calls [--dry-run] [--account <id>] [--call <id>] [--provider <name>] [--after <time>]';

/** @throws Error with one sentence that says what is wrong */
export function readRebuildCommand(args: readonly string[]): RebuildWish {
  const { values } = parseArgs({
    args: [...args],
    options: {
      'dry-run': { type: 'boolean', default: false },
      account: { type: 'string' },
      call: { type: 'string' },
      provider: { type: 'string' },
      after: { type: 'string' },
    },
  });
  const { account, call, provider, after } = values;
  for (const [name, id] of Object.entries({ account, call })) {
    if (id !== undefined && !isId(id)) throw new Error(`--${name} needs an id.`);
  }
  if (provider !== undefined && !PROVIDERS.includes(provider)) {
    throw new Error(`--provider is one of ${PROVIDERS.join(', ')}.`);
  }
  if (after !== undefined && Number.isNaN(Date.parse(after))) throw new Error('--after needs a time (ISO 8601).');
  return {
    dryRun: values['dry-run'],
    ...(account !== undefined && { accountId: account }),
    ...(call !== undefined && { callId: call }),
    ...(provider !== undefined && { provider }),
    ...(after !== undefined && { after: new Date(after) }),
  };
}

export async function runRebuild(
  ingestion: Pick<Ingestion, 'rebuildCalls' | 'drain'>,
  wish: RebuildWish,
  print: (line: string) => void,
): Promise<void> {
  const { looked, changed, incomplete, unstated, replayed } = await ingestion.rebuildCalls(wish, print);
  if (!wish.dryRun) await ingestion.drain();
  const verb = wish.dryRun ? 'would change' : 'changed';
  print(`${looked} calls looked at, ${changed} ${verb}.`);
  if (replayed > 0) print(`${replayed} webhooks ${wish.dryRun ? 'would be' : 'were'} processed again.`);
  if (incomplete > 0) print(`${incomplete} left alone: not all of their webhooks are kept or can be read.`);
  if (unstated > 0) print(`${unstated} left alone: their webhooks say nothing of them any more.`);
}
