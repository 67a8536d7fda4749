import { Readable } from 'node:stream';
import type { ObjectSchema } from 'joi';
import type { Actor } from '../../http/actor.js';
import { type AnyRoute, Reply, type RouteRequest, route } from '../../http/route.js';
import type { BulkResult } from './bulk-numbers.js';
import {
  BULK_ROWS,
  bulkBody,
  bulkChangeAnswer,
  bulkCreateAnswer,
  bulkQuery,
  bulkReleaseAnswer,
  changeRow,
  ROW_MEMBERS,
  ROW_VALUES,
  releaseRow,
} from './bulk-numbers.schema.js';
import type { BulkNumberService, BulkRequest } from './bulk-numbers.service.js';
import { type CsvForm, readCsv } from './number-rows.js';
import { claimBody } from './numbers.schema.js';

type BulkRouteRequest = RouteRequest<
  Record<string, string>,
  { readonly dry_run: boolean },
  string | { readonly numbers: readonly unknown[] }
>;

interface BulkDoor {
  readonly path: string;
  readonly summary: string;
  readonly row: string;
  readonly schema: ObjectSchema;
  readonly csv: CsvForm;
  /** Status of a row → the member that counts it; every other status is counted as refused. */
  readonly counts: Readonly<Record<string, string>>;
  readonly answer: ObjectSchema;
  work(actor: Actor, request: BulkRequest): AsyncGenerator<BulkResult[]>;
}

const ALIKE =
  'Up to 10,000 rows, as JSON or as `text/csv` with a header line of the same names (tags joined by `;`, an empty cell ' +
  'says nothing). Each row is judged by itself: the good ones are done although others are not, and a row is done ' +
  'whole or not at all. Rows are worked in chunks; after a broken connection simply send the list again. With ' +
  '`Accept: application/x-ndjson` the answer tells its progress: one line for each row’s result, after each chunk ' +
  '`{"done", "total"}`, and as the last line the counts; work stops between two chunks when the client leaves. ' +
  `A row has ${ROW_VALUES} values at most (itself, its members and its tags), a line of CSV 64 KiB.`;

const NDJSON = 'application/x-ndjson';

export function createBulkNumberRoutes(service: BulkNumberService): AnyRoute[] {
  return doorsOf(service).map((door) =>
    route<Record<string, string>, BulkRouteRequest['query'], BulkRouteRequest['body']>({
      method: 'post',
      path: door.path,
      summary: door.summary,
      description: `${door.row} ${ALIKE}`,
      tag: 'Virtual numbers',
      access: 'bearer',
      role: 'admin',
      scope: 'numbers:write',
      query: bulkQuery,
      body: bulkBody(door.schema, door.row),
      accepts: ['json', 'csv'],
      bodyLimit: 8 * 1_048_576,
      mostValues: BULK_ROWS * ROW_VALUES,
      mostMembers: BULK_ROWS * ROW_MEMBERS,
      responses: { 200: { description: 'What came of each row.', schema: door.answer, contentType: NDJSON } },
      handle: (request) => answer(door, request),
    }),
  );
}

function doorsOf(service: BulkNumberService): BulkDoor[] {
  const keys = ['phone_number', 'id'];
  const members = ['label', 'tags', 'is_active', 'user_id', 'carrier_id'];
  return [
    {
      path: '/api/virtual_numbers/bulk/',
      summary: 'Add many virtual numbers',
      row: 'A row is what `POST /api/virtual_numbers/` takes, or a bare phone number.',
      schema: claimBody,
      csv: { columns: ['phone_number', 'country', ...members], keys: ['phone_number'], noneClears: false },
      counts: { created: 'created' },
      answer: bulkCreateAnswer,
      work: service.createNumbers,
    },
    {
      path: '/api/virtual_numbers/bulk/change/',
      summary: 'Change or assign many virtual numbers',
      row:
        'A row names a number by `id` or `phone_number` (with `country`, if national) and has the members to change; ' +
        'in a CSV the cell `none` clears one.',
      schema: changeRow,
      csv: { columns: [...keys, 'country', ...members], keys, noneClears: true },
      counts: { changed: 'changed', unchanged: 'unchanged' },
      answer: bulkChangeAnswer,
      work: service.changeNumbers,
    },
    {
      path: '/api/virtual_numbers/bulk/release/',
      summary: 'Release many virtual numbers',
      row: 'A row names a number by `id` or `phone_number` (with `country`, if national), or is a bare phone number.',
      schema: releaseRow,
      csv: { columns: [...keys, 'country'], keys, noneClears: false },
      counts: { released: 'released' },
      answer: bulkReleaseAnswer,
      work: service.releaseNumbers,
    },
  ];
}

async function answer(door: BulkDoor, request: BulkRouteRequest): Promise<Reply> {
  const { actor, body, query, headers, note } = request;
  const rows = typeof body === 'string' ? readCsv(body, door.csv) : body.numbers;
  const chunks = door.work(actor, { rows, dryRun: query.dry_run });
  note({ rows: rows.length, dryRun: query.dry_run });
  const counter = createCounter(door);
  if (String(headers.accept ?? '').includes(NDJSON)) {
    const stream = Readable.from(progress(chunks, { counter, total: rows.length }));
    return new Reply(stream, { headers: { 'Content-Type': NDJSON } });
  }
  const results: BulkResult[] = [];
  for await (const chunk of chunks) {
    counter.add(chunk);
    results.push(...chunk);
  }
  return new Reply({ ...counter.counts, results });
}

interface Counter {
  readonly counts: Record<string, number>;
  add(results: readonly BulkResult[]): void;
}

function createCounter(door: BulkDoor): Counter {
  const counts: Record<string, number> = Object.fromEntries(Object.values(door.counts).map((name) => [name, 0]));
  counts.refused = 0;
  return {
    counts,
    add(results) {
      for (const { status } of results) {
        const name = door.counts[status] ?? 'refused';
        counts[name] = (counts[name] ?? 0) + 1;
      }
    },
  };
}

async function* progress(
  chunks: AsyncGenerator<BulkResult[]>,
  { counter, total }: { readonly counter: Counter; readonly total: number },
): AsyncGenerator<string> {
  let done = 0;
  for await (const chunk of chunks) {
    counter.add(chunk);
    done += chunk.length;
    yield `${[...chunk, { done, total }].map((line) => JSON.stringify(line)).join('\n')}\n`;
  }
  yield `${JSON.stringify(counter.counts)}\n`;
}
