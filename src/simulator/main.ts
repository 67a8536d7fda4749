import { ConfigError } from '../platform/config.js';
import { Failure } from './failure.js';
import { run } from './run.js';

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Failure || error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
