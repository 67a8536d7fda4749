import type { Db } from './db/connect.js';
import type { SecretBox } from './secret-box.js';

/** A column of sealed texts; its names are written in the code, never taken from a request. */
export interface SealedColumn {
  readonly table: string;
  /** The table's key; default: `id`, a uuid. */
  readonly key?: { readonly sql: string; readonly type: 'uuid' | 'text' };
  readonly column: string;
  /** What of the row its place is made of; default: the key. */
  readonly placedBy?: string;
  /** The place that the text was sealed for. */
  placeOf(value: string): string;
}

export interface Resealed {
  readonly looked: number;
  readonly resealed: number;
  /** Keys of the rows whose text neither key opens. */
  readonly unreadable: readonly string[];
}

interface SealedRow {
  readonly id: string;
  readonly placed_by: string;
  readonly sealed: string;
}

const BATCH = 100;
const ID = { sql: 'id', type: 'uuid' } as const;

/** Seals with the present key what was sealed with the previous one; may run while the product runs. */
export async function resealColumns(db: Db, box: SecretBox, columns: readonly SealedColumn[]): Promise<Resealed> {
  let [looked, resealed] = [0, 0];
  const unreadable: string[] = [];
  for (const shelf of columns) {
    for await (const row of rowsOf(db, shelf)) {
      looked += 1;
      if (!box.isStale(row.sealed)) continue;
      const fresh = sealAnew(box, row.sealed, shelf.placeOf(row.placed_by));
      if (fresh === null) unreadable.push(row.id);
      else if (await replace(db, shelf, { row, fresh })) resealed += 1;
    }
  }
  return { looked, resealed, unreadable };
}

async function* rowsOf(
  db: Db,
  { table, column, key = ID, placedBy = key.sql }: SealedColumn,
): AsyncGenerator<SealedRow> {
  let after: string | null = null;
  for (;;) {
    const { rows }: { rows: SealedRow[] } = await db.raw(
      `select ${key.sql} as id, ${placedBy} as placed_by, ${column} as sealed from ${table}
       where ${column} is not null and (cast(:after as ${key.type}) is null or ${key.sql} > cast(:after as ${key.type}))
       order by 1 limit :limit`,
      { after, limit: BATCH },
    );
    yield* rows;
    if (rows.length < BATCH) return;
    after = rows.at(-1)?.id ?? null;
  }
}

/** Null: sealed with a key that is gone, which is told by the row's key, so that the others are not held up by it. */
function sealAnew(box: SecretBox, sealed: string, place: string): string | null {
  try {
    return box.seal(box.open(sealed, place), place);
  } catch {
    return null;
  }
}

/** Only where nobody changed it meanwhile: whoever did has sealed it with the present key. */
async function replace(
  db: Db,
  { table, column, key = ID }: SealedColumn,
  { row, fresh }: { readonly row: SealedRow; readonly fresh: string },
): Promise<boolean> {
  const { rowCount } = await db.raw(
    `update ${table} set ${column} = :fresh where ${key.sql} = cast(:id as ${key.type}) and ${column} = :sealed`,
    { fresh, id: row.id, sealed: row.sealed },
  );
  return rowCount > 0;
}
