import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Binaries } from './embedded-binaries.js';
import { giveTo, type Identity, runAs } from './embedded-identity.js';

export const SUPERUSER = 'switchboard';

/** Where everything of one embedded database lies, and who runs its programs. */
export interface Cluster {
  readonly dir: string;
  readonly data: string;
  readonly binaries: Binaries;
  readonly identity: Identity;
  readonly durable: boolean;
}

/** Makes the cluster when there is none yet, and answers the superuser's password. */
export async function prepareCluster(cluster: Cluster): Promise<string> {
  const passwordFile = join(cluster.dir, 'pg-password');
  const known = readPassword(passwordFile);
  const password = known ?? randomBytes(24).toString('hex');
  if (known === undefined) keepPassword(passwordFile, password);
  giveTo(cluster.identity, passwordFile);
  if (!existsSync(join(cluster.data, 'PG_VERSION'))) await initialise(cluster, password);
  else {
    // A copy from another machine may have lost its owner on the way.
    if (statSync(cluster.data).uid !== (cluster.identity.ids.uid ?? process.getuid?.() ?? 0)) {
      giveTo(cluster.identity, cluster.data);
    }
    if (known === undefined) await setPassword(cluster, password);
  }
  return password;
}

function readPassword(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  return readFileSync(path, 'utf8').trim() || undefined;
}

function keepPassword(path: string, password: string): void {
  writeFileSync(`${path}.new`, `${password}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

async function initialise(cluster: Cluster, password: string): Promise<void> {
  const { dir, data, binaries, identity } = cluster;
  removeHalfDone(dir);
  const draft = `${data}.new-${randomBytes(4).toString('hex')}`;
  mkdirSync(draft, { mode: 0o700 });
  giveTo(identity, draft);
  const handedOver = join(dir, 'pg-password.initdb');
  rmSync(handedOver, { force: true });
  writeFileSync(handedOver, `${password}\n`, { mode: 0o600 });
  giveTo(identity, handedOver);
  const options = ['-D', draft, '-U', SUPERUSER, '--auth=scram-sha-256', `--pwfile=${handedOver}`];
  // The built-in locale needs none of the system's and stays valid when its C library is replaced.
  options.push('--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C');
  options.push('--set', 'dynamic_shared_memory_type=mmap');
  if (!cluster.durable) options.push('--no-sync');
  try {
    await runAs(identity, binaries, [binaries.initdb, ...options], { cwd: dir });
  } finally {
    rmSync(handedOver, { force: true });
  }
  renameSync(draft, data);
}

/** An initdb that was killed leaves a folder that cannot be continued, only thrown away. */
function removeHalfDone(dir: string): void {
  for (const name of readdirSync(dir)) {
    if (name.startsWith('pg18.new-')) rmSync(join(dir, name), { recursive: true, force: true, maxRetries: 3 });
  }
}

async function setPassword(cluster: Cluster, password: string): Promise<void> {
  const { binaries, data, dir, identity } = cluster;
  const argv = [binaries.postgres, '--single', '-D', data, 'postgres'];
  await runAs(identity, binaries, argv, { cwd: dir, input: `ALTER ROLE ${SUPERUSER} PASSWORD '${password}'\n` });
}
