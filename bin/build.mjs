import { build } from './build-if-needed.mjs';

try {
  await build();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
