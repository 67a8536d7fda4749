import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, lchownSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Binaries } from './embedded-binaries.js';

/** Whom PostgreSQL's processes run as: it refuses to be root. */
export interface Identity {
  readonly prefix: readonly string[];
  readonly ids: { readonly uid?: number; readonly gid?: number };
}

interface Place {
  readonly dir: string;
  readonly data: string;
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

const OURSELVES: Identity = { prefix: [], ids: {} };
const NAMESPACE: Identity = {
  prefix: ['unshare', '--user', '--map-user=65534', '--map-group=65534'],
  ids: {},
};
const USUAL_USERS = ['postgres', 'node', 'nobody'];

export function chooseIdentity(place: Place, binaries: Binaries): Identity {
  const owner = ownerOf(place.data);
  const user = process.getuid?.();
  if (user !== 0) {
    if (user !== undefined && owner !== undefined && owner.uid !== user) throw foreignFolder(place.data);
    return OURSELVES;
  }
  // A folder that another user made stays that user's: only its owner may run PostgreSQL on it.
  const choices =
    owner !== undefined && owner.uid !== 0
      ? [asAccount(owner)]
      : [NAMESPACE, ...otherAccounts(place, binaries).map(asAccount)];
  for (const identity of choices) {
    if (identity.ids.uid !== undefined) letThrough(place.dir);
    if (!canReach(identity, place.dir, binaries)) continue;
    return identity;
  }
  throw new Error(
    'PostgreSQL refuses to run as root, and here it can get neither a user namespace (unshare) nor another user ' +
      `that reaches both ${binaries.postgres} and ${place.dir}: start Switchboard as an ordinary user, ` +
      'or set DATABASE_URL to a PostgreSQL server.',
  );
}

export function foreignFolder(path: string): Error {
  return new Error(
    `${path} belongs to another user: start Switchboard as that user, or set DATA_DIR to a folder of your own.`,
  );
}

export function giveTo(identity: Identity, path: string): void {
  const { uid, gid } = identity.ids;
  if (uid === undefined || gid === undefined) return;
  lchownSync(path, uid, gid);
  if (!statSync(path).isDirectory()) return;
  for (const entry of readdirSync(path, { recursive: true, encoding: 'utf8' })) lchownSync(join(path, entry), uid, gid);
}

export interface RunOptions {
  readonly cwd: string;
  readonly input?: string;
}

/** Runs one of PostgreSQL's programs to its end; a failure is one sentence with what the program said. */
export async function runAs(identity: Identity, binaries: Binaries, argv: readonly string[], options: RunOptions) {
  const [command = '', ...rest] = [...identity.prefix, ...argv];
  const child = spawn(command, rest, { cwd: options.cwd, env: binaries.env, ...identity.ids });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2000);
    });
  }
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const code = await new Promise<number | string>((done, failed) => {
    child.once('error', failed);
    child.once('close', (status, signal) => done(status ?? signal ?? 'unknown'));
  });
  if (code === 0) return;
  const name = basename(argv[0] ?? '');
  throw new Error(`PostgreSQL's ${name} failed (${code}): ${said.trim().replace(/\s*\n\s*/g, ' ')}`);
}

function asAccount(account: Account): Identity {
  return { prefix: [], ids: account };
}

function ownerOf(path: string): Account | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat && { uid: stat.uid, gid: stat.gid };
}

function otherAccounts(place: Place, binaries: Binaries): Account[] {
  // Whoever owns a closed home can pass through it.
  const paths = [...withParents(place.dir), ...withParents(binaries.postgres)];
  const owners = paths.flatMap((path) => ownerOf(path) ?? []);
  const others = [...owners, ...usualAccounts()].filter((account) => account.uid !== 0);
  return [...new Map(others.map((account) => [account.uid, account])).values()];
}

function withParents(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [path, ...withParents(parent)];
}

function usualAccounts(): Account[] {
  let lines: string[];
  try {
    lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  } catch {
    return [];
  }
  const rows = lines.map((line) => line.split(':'));
  return USUAL_USERS.flatMap((name) => {
    const row = rows.find(([user]) => user === name);
    return row === undefined ? [] : [{ uid: Number(row[2]), gid: Number(row[3]) }];
  });
}

/** Another user has to pass through our own folder; what lies in it keeps its own, closed, modes. */
function letThrough(dir: string): void {
  const { mode } = statSync(dir);
  if ((mode & 0o001) === 0) chmodSync(dir, (mode & 0o7777) | 0o001);
}

function canReach(identity: Identity, dir: string, binaries: Binaries): boolean {
  const [command = '', ...rest] = [
    ...identity.prefix,
    ...['sh', '-c', 'cd "$1" && exec "$2" --version', 'sh', dir, binaries.postgres],
  ];
  const probe = spawnSync(command, rest, { cwd: '/', env: binaries.env, stdio: 'ignore', ...identity.ids });
  return probe.status === 0;
}
