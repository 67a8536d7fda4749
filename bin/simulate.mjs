import { runBuilt } from './build-if-needed.mjs';

await runBuilt('src/simulator/main.js');
