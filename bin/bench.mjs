import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildIfNeeded, root } from './build-if-needed.mjs';

// The servers that are measured run from the build.
try {
  await buildIfNeeded();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}

const args = ['--import', 'tsx', join(root, 'bench', 'main.ts'), ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });

// The child gets them too and ends first: its exit code is ours.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));

child.once('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 130)));
