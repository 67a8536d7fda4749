import { runBuilt } from './build-if-needed.mjs';

await runBuilt('src/demo/main.js');
