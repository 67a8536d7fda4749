import type { Db } from '../../platform/db/connect.js';
import type { SecretBox } from '../../platform/secret-box.js';
import { ID_KEY_PLACE, keyPlace, sealingPlace } from './pseudonyms.js';

export interface Resealed {
  readonly looked: number;
  readonly resealed: number;
  /** Ids of accounts and erasures whose secrets neither key opens. */
  readonly unreadable: readonly string[];
}

interface Sealed {
  readonly id: string;
  readonly account_id: string;
  readonly sealed: string;
}

/** Seals with the present key what was sealed with the previous one: the accounts' keys, and numbers still to be erased. */
export async function resealAll(db: Db, secrets: SecretBox): Promise<Resealed> {
  const keys = await sealedOf(db, 'select account_id as id, account_id, sealed_key as sealed from erasure_keys');
  const numbers = await sealedOf(
    db,
    'select id, account_id, sealed_number as sealed from erasures where sealed_number is not null',
  );
  const unreadable: string[] = [];
  let resealed = 0;
  const anew = async (row: Sealed, place: string, sql: string): Promise<void> => {
    if (!secrets.isStale(row.sealed)) return;
    const fresh = sealAnew(secrets, row.sealed, place);
    if (fresh === null) unreadable.push(row.id);
    else {
      await db.raw(sql, [fresh, row.id, row.sealed]);
      resealed += 1;
    }
  };
  for (const row of keys) {
    await anew(
      row,
      keyPlace(row.account_id),
      'update erasure_keys set sealed_key = ? where account_id = ? and sealed_key = ?',
    );
  }
  for (const row of numbers) {
    await anew(
      row,
      sealingPlace(row.account_id),
      'update erasures set sealed_number = ? where id = ? and sealed_number = ?',
    );
  }
  const idKeys = await sealedOf(
    db,
    `select 'call_id_key' as id, '' as account_id, sealed_key as sealed from call_id_key`,
  );
  for (const row of idKeys) {
    await anew(
      row,
      ID_KEY_PLACE,
      "update call_id_key set sealed_key = ? where ?::text = 'call_id_key' and sealed_key = ?",
    );
  }
  return { looked: keys.length + numbers.length + idKeys.length, resealed, unreadable };
}

async function sealedOf(db: Db, sql: string): Promise<Sealed[]> {
  return (await db.raw<{ rows: Sealed[] }>(sql)).rows;
}

function sealAnew(secrets: SecretBox, sealed: string, place: string): string | null {
  try {
    return secrets.seal(secrets.open(sealed, place), place);
  } catch {
    return null;
  }
}
