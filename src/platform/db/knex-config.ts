import { readdirSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Knex } from 'knex';
import { TRANSACTION_SETTINGS, watchedPool } from './silent-connections.js';

/** `migrations/` stands where this file's tree stands: beside `src/` in the sources, beside `dist/src/` in the build. */
const FOLDER = resolve(dirname(fileURLToPath(import.meta.url)), '../../../migrations');

/** Names of our migrations in order, without extension: Knex would take the `.js` of a build for other files. */
export function migrationNames(): string[] {
  return [...migrationFiles().keys()];
}

function migrationFiles(): Map<string, string> {
  const files = readdirSync(FOLDER).filter((file) => /^\d{12}_\w+\.(ts|js)$/.test(file));
  return new Map(files.sort().map((file) => [file.slice(0, -extname(file).length), join(FOLDER, file)]));
}

const migrationSource: Knex.MigrationSource<string> = {
  getMigrations: async () => migrationNames(),
  getMigrationName: (name) => name,
  getMigration: async (name) => import(pathToFileURL(migrationFiles().get(name) ?? name).href),
};

const silent = (): void => undefined;

export const knexConfig = (url: string): Knex.Config => ({
  client: 'pg',
  connection: { connectionString: url, application_name: 'switchboard migrate', ...TRANSACTION_SETTINGS },
  pool: watchedPool(url, 2, { isPatient: true }),
  acquireConnectionTimeout: 10_000,
  // What goes wrong is thrown as well, and told once by whoever migrates.
  log: { warn: silent, error: silent, deprecate: silent, debug: silent },
  migrations: { migrationSource },
});
