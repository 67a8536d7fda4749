import { runBuilt } from './build-if-needed.mjs';

const signals = ['SIGINT', 'SIGTERM'];

// Until the program listens itself, being asked to stop is no failure: nothing was accepted yet.
for (const signal of signals) {
  process.on(signal, () => {
    if (process.listenerCount(signal) === 1) process.exit(0);
  });
}

await runBuilt('src/main.js');
