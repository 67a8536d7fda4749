import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { register } from 'tsx/esm/api';
import { buildIfNeeded, root } from './build-if-needed.mjs';

const GRACE_MS = 5000;

// The files that take longest are begun first: none of them is left alone at the end.
const LONG =
  /^(journeys|main\.test|features\/live\/live\.soak|features\/ingestion\/(mutations|stored)|features\/reports\/reports\.model|platform\/db\/(embedded|silent)|features\/erasure|features\/tokens\/login-limits|security\/(foreign|hostile))/;

register();
const { startTestServers } = await import('../test/support/global.ts');

let mocha;
let stopped = false;
// Ctrl-C reaches mocha by itself, a SIGTERM to this process alone does not; both end with everything taken down.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    stopped = true;
    mocha?.kill(signal);
    setTimeout(() => mocha?.kill('SIGKILL'), GRACE_MS).unref();
  });
}

process.exitCode = await run(process.argv.slice(2));

async function run(args) {
  let count = { passed: 0, failed: 0 };
  let code = 1;
  let servers;
  try {
    const whole = !args.some(isFile);
    // The journeys run the build: made here once, and not by each of them at the same moment.
    if (whole) await buildIfNeeded();
    servers = await startTestServers(root);
    for (const note of servers.notes) console.log(note);
    if (!stopped) code = await runMocha(whole ? [...args, ...allFiles()] : args, servers.env);
    count = readCount(servers.env.TEST_COUNT_FILE);
  } catch (error) {
    console.error(error);
  } finally {
    await servers?.stop();
  }
  // What mocha could not count, such as a file that does not load, is a failure as well.
  const failed = code === 0 && !stopped ? count.failed : Math.max(1, count.failed);
  console.log(`${count.passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function runMocha(args, env) {
  const own = ['--require', 'tsx', '--reporter', join(root, 'bin', 'test-reporter.cjs')];
  // One more than there are processors, as the long ones wait more than they work.
  if (!args.some((arg) => /^(-j|--jobs)/.test(arg))) own.push('--jobs', String(availableParallelism() + 1));
  const command = [join(root, 'node_modules', 'mocha', 'bin', 'mocha.js'), ...own, ...args];
  mocha = spawn(process.execPath, command, { cwd: root, env, stdio: 'inherit' });
  return new Promise((done, failed) => {
    mocha.once('error', failed);
    mocha.once('exit', (status) => done(status ?? 1));
  });
}

function isFile(arg) {
  return arg.endsWith('.ts');
}

function allFiles() {
  const names = readdirSync(join(root, 'test'), { recursive: true }).map((name) => name.replaceAll('\\', '/'));
  const files = names.filter((name) => name.endsWith('.test.ts')).sort();
  const isLong = (name) => LONG.test(name);
  return [...files.filter(isLong), ...files.filter((name) => !isLong(name))].map((name) => join('test', name));
}

function readCount(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 0 };
  }
}
