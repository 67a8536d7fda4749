import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const dist = join(root, 'dist');
const scratch = join(root, '.tmp');
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const inputs = ['src', 'migrations', 'knexfile.ts', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];

/** Builds when dist does not belong to the sources as they are; answers whether it built. */
export async function buildIfNeeded() {
  // An image may carry the build alone.
  if (!existsSync(join(root, 'src')) && existsSync(dist)) return false;
  const stamp = stampOfSources();
  if (stampOfBuild() === stamp) return false;
  if (!existsSync(compiler)) {
    throw new Error(
      'The build in dist is missing or not that of these sources, and the compiler is not installed: run `npm ci`, or build before leaving out the development packages.',
    );
  }
  await build(stamp);
  return true;
}

export async function build(stamp = stampOfSources()) {
  console.error('Building …');
  removeAbandoned();
  const draft = join(scratch, `build-${process.pid}`);
  try {
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true });
    await compile(draft);
    copyAssets(draft);
    writeFileSync(join(draft, '.stamp'), stamp);
    putInPlace(draft, stamp);
  } catch (error) {
    if (error.code !== 'EACCES' && error.code !== 'EROFS') throw error;
    throw new Error(`${root} has to be built and cannot be written: run \`npm run build\` there as its owner.`);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Ends the process with one sentence when starting fails for a reason that has one. */
export async function runBuilt(entry) {
  try {
    refuseOldNode();
    await buildIfNeeded();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
  await import(pathToFileURL(join(dist, entry)).href);
}

function refuseOldNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Error(`Switchboard needs Node 20.19 or newer, and this is ${process.versions.node}.`);
}

function stampOfBuild() {
  try {
    return readFileSync(join(dist, '.stamp'), 'utf8');
  } catch {
    return undefined;
  }
}

function stampOfSources() {
  const hash = createHash('sha256');
  for (const file of inputs.flatMap(filesUnder)) {
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}

function filesUnder(name) {
  const path = join(root, name);
  if (!existsSync(path)) return [];
  if (!name.includes('.')) {
    const entries = readdirSync(path, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      .sort();
  }
  return [path];
}

function compile(outDir) {
  const args = [compiler, '--project', join(root, 'tsconfig.build.json'), '--outDir', outDir];
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
    child.once('error', failed);
    child.once('exit', (code, signal) => {
      if (code === 0) done();
      else failed(new Error(`The build failed (${code ?? signal}).`));
    });
  });
}

/** What the compiler leaves out: pages, styles and other files that the code reads beside itself. */
function copyAssets(draft) {
  for (const file of filesUnder('src')) {
    if (!file.endsWith('.ts')) cpSync(file, join(draft, relative(root, file)));
  }
}

/** Two starts may build at once: whoever comes second finds the same build in place and drops its own. */
function putInPlace(draft, stamp) {
  for (let tries = 0; tries < 100; tries += 1) {
    if (stampOfBuild() === stamp) return;
    const old = join(scratch, `old-${process.pid}-${tries}`);
    try {
      renameSync(dist, old);
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
    try {
      renameSync(draft, dist);
      return;
    } catch (error) {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    } finally {
      rmSync(old, { recursive: true, force: true });
    }
  }
  throw new Error(`${dist} could not be replaced.`);
}

function removeAbandoned() {
  if (!existsSync(scratch)) return;
  for (const name of readdirSync(scratch)) {
    const pid = /^(?:build|old)-(\d+)/.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(scratch, name), { recursive: true, force: true });
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
