import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The build of these sources, as `npm start` makes it: for tests of whole processes. */
export async function ensureBuilt(): Promise<void> {
  const script = `import('./bin/build-if-needed.mjs').then(({ buildIfNeeded }) => buildIfNeeded())`;
  await promisify(execFile)(process.execPath, ['-e', script]);
}
