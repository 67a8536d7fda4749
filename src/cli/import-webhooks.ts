import { parseArgs } from 'node:util';
import type { Ingestion } from '../features/ingestion/index.js';
import { isId } from '../lib/ids.js';
import { type ReadOptions, readSaved } from './saved-webhooks.js';

export const IMPORT_USAGE =
  'import-webhooks --carrier <id> [--path /status] [--content-type <type>] [--header "Name: value"]… ' +
  '[--received-at now|<time>] <files…>';

export interface ImportCommand {
  readonly carrierId: string;
  readonly files: readonly string[];
  readonly options: ReadOptions;
}

/** @throws Error with one sentence that says what is wrong */
export function readImportCommand(args: readonly string[], now = Date.now()): ImportCommand {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      carrier: { type: 'string' },
      path: { type: 'string' },
      'content-type': { type: 'string' },
      header: { type: 'string', multiple: true },
      'received-at': { type: 'string' },
    },
  });
  if (!isId(values.carrier)) throw new Error('import-webhooks needs --carrier <id of the carrier>.');
  if (positionals.length === 0) throw new Error('import-webhooks needs at least one file.');
  const path = values.path ?? '';
  if (path !== '' && !/^[/?]/.test(path))
    throw new Error('--path begins with / or ?: what stands behind the webhook URL.');
  return {
    carrierId: values.carrier,
    files: positionals,
    options: {
      path,
      now,
      headers: Object.fromEntries((values.header ?? []).map(readHeader)),
      receivedAt: readTime(values['received-at'], now),
      ...(values['content-type'] !== undefined && { contentType: values['content-type'] }),
    },
  };
}

function readHeader(text: string): [string, string] {
  const colon = text.indexOf(':');
  if (colon < 1) throw new Error(`--header "${text}" is not of the form "Name: value".`);
  return [text.slice(0, colon).trim().toLowerCase(), text.slice(colon + 1).trim()];
}

function readTime(text: string | undefined, now: number): number | null {
  if (text === undefined) return null;
  const at = text === 'now' ? now : Date.parse(text);
  if (Number.isNaN(at)) throw new Error('--received-at is "now" or a time (ISO 8601).');
  return at;
}

export async function runImport(
  ingestion: Pick<Ingestion, 'importWebhooks' | 'drain'>,
  { carrierId, files, options }: ImportCommand,
  print: (line: string) => void,
): Promise<void> {
  const result = await ingestion.importWebhooks(carrierId, readSaved(files, options));
  for (const name of result.unreadable)
    print(`${name}: not read, it is neither JSON nor a form that this provider sends.`);
  await ingestion.drain();
  print(`${result.stored} stored, ${result.known} were here already, ${result.unreadable.length} could not be read.`);
}
