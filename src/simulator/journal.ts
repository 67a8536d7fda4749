/**
 * What was sent and what was answered, in memory and, when wanted, line by line in a file, so that a run can be
 * verified later, also when the simulator itself was killed. A line is written before the webhook is sent.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { sentence } from './failure.js';
import type { Claim, Webhook } from './senders/sender.js';

/** What verifying needs to know of a run. */
export interface RunFacts {
  readonly run: string;
  readonly url: string;
  readonly seed: string;
  readonly calls: number;
  /** Ids of the carriers by provider. */
  readonly carriers: Readonly<Record<string, string>>;
  /** The virtual numbers, E.164. */
  readonly numbers: readonly string[];
  /** The account's newest event before the run. */
  readonly afterSeq: number;
}

export interface WebhookRecord {
  readonly call: number;
  readonly place: number;
  readonly provider: string;
  readonly event: string;
  readonly claims: readonly Claim[];
  /** When the first attempt began, ms. */
  readonly sentAt: number;
  /** When it was first answered by 2xx, ms; null: it was not, and may be stored or not. */
  answeredAt: number | null;
  /** The status of an answer that is no use trying again, such as 401. */
  refused: number | null;
}

export interface Journal {
  readonly facts: RunFacts;
  readonly records: ReadonlyMap<string, WebhookRecord>;
  begin(webhook: WebhookRef & { readonly webhook: Webhook; readonly now: number }): void;
  answered(ref: WebhookRef, now: number): void;
  refused(ref: WebhookRef, status: number): void;
  close(): void;
}

export interface WebhookRef {
  readonly call: number;
  readonly place: number;
  readonly provider: string;
}

const keyOf = ({ call, place }: WebhookRef): string => `${call}.${place}`;

export function createJournal(facts: RunFacts, file: string | null): Journal {
  const records = new Map<string, WebhookRecord>();
  const out = file === null ? null : openOut(file);
  const write = (line: object): void => {
    if (out !== null) writeSync(out, `${JSON.stringify(line)}\n`);
  };
  write({ kind: 'run', ...facts });

  return {
    facts,
    records,
    begin({ webhook, now, ...ref }) {
      const key = keyOf(ref);
      if (records.has(key)) return;
      const { event, claims, body } = webhook;
      const { call, place, provider } = ref;
      records.set(key, { call, place, provider, event, claims, sentAt: now, answeredAt: null, refused: null });
      write({ kind: 'sent', call, place, provider, event, at: now, claims, body });
    },
    answered(ref, now) {
      const record = records.get(keyOf(ref));
      if (!record || record.answeredAt !== null) return;
      record.answeredAt = now;
      write({ kind: 'answered', call: ref.call, place: ref.place, at: now });
    },
    refused(ref, status) {
      const record = records.get(keyOf(ref));
      if (!record || record.answeredAt !== null) return;
      record.refused = status;
      write({ kind: 'refused', call: ref.call, place: ref.place, status });
    },
    close() {
      if (out !== null) closeSync(out);
    },
  };
}

function openOut(file: string): number {
  try {
    return openSync(file, 'w', 0o600);
  } catch (error) {
    throw sentence(`${file} cannot be written: ${(error as Error).message}.`);
  }
}

interface SentLine extends Omit<WebhookRecord, 'sentAt'> {
  readonly at: number;
}

type Line = { readonly kind?: unknown } & Record<string, unknown>;

/** An earlier run's file; a last line that was cut off counts as not written. */
export function readJournal(file: string): Pick<Journal, 'facts' | 'records'> {
  const records = new Map<string, WebhookRecord>();
  let facts: RunFacts | null = null;
  for (const line of readLines(file)) {
    const { kind, ...rest } = line;
    if (kind === 'run') facts = rest as unknown as RunFacts;
    const record = records.get(keyOf(rest as unknown as WebhookRef));
    if (kind === 'sent') {
      const { at: sentAt, call, place, provider, event, claims } = rest as unknown as SentLine;
      const sent = { call, place, provider, event, claims, sentAt, answeredAt: null, refused: null };
      records.set(keyOf(sent), sent);
    }
    if (kind === 'answered' && record) record.answeredAt = Number(rest.at);
    if (kind === 'refused' && record) record.refused = Number(rest.status);
  }
  if (facts === null) throw sentence(`${file} does not begin as a file that --out has written.`);
  return { facts, records };
}

function readLines(file: string): Line[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw sentence(`${file} cannot be read: ${(error as Error).message}.`);
  }
  const lines = text.split('\n');
  return lines.flatMap((line, i) => {
    if (line === '') return [];
    try {
      return [JSON.parse(line) as Line];
    } catch {
      if (i >= lines.length - 2) return [];
      throw sentence(`${file} is damaged in line ${i + 1}.`);
    }
  });
}
