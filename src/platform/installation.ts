import { createHash } from 'node:crypto';
import type { Db } from './db/connect.js';

/**
 * Tells installations apart that share one Redis: short, without `:`. The database's name belongs to it, because a
 * copied database holds the same row.
 */
export async function readInstallationName(db: Db): Promise<string> {
  const { rows } = await db.raw<{ rows: { id: string; name: string }[] }>(
    'select id, current_database() as name from installation',
  );
  const [row] = rows;
  return createHash('sha256').update(`${row?.id}/${row?.name}`).digest('hex').slice(0, 16);
}
