import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { SUPERUSER } from '../platform/db/embedded-cluster.js';

/**
 * The address of the embedded database of a switchboard that is running on this data folder; null: none is. Its port
 * stands in the fourth line of PostgreSQL's own `postmaster.pid`.
 */
export async function findRunningDatabase(dataDir: string): Promise<string | null> {
  try {
    const port = Number(readFileSync(join(dataDir, 'pg18', 'postmaster.pid'), 'utf8').split('\n')[3]);
    const password = readFileSync(join(dataDir, 'pg-password'), 'utf8').trim();
    const url = `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/switchboard`;
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
    await client.connect();
    await client.end();
    return url;
  } catch {
    return null;
  }
}
