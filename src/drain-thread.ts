/** What runs in the thread for batches (`features/ingestion/batch-thread.ts`), which `main.ts` lets the process begin. */
import { parentPort, workerData } from 'node:worker_threads';
import { createCarrierLines } from './features/carriers/index.js';
import { createEventLog } from './features/events/index.js';
import { createBatchWorker } from './features/ingestion/index.js';
import { systemClock } from './lib/clock.js';
import { readConfig } from './platform/config.js';
import { connectDatabase } from './platform/db/connect.js';
import { createLogger } from './platform/log.js';
import { openSecretBox } from './platform/secrets-file.js';
import { createRecording } from './recording.js';

/** One for the batch, one for what is looked up meanwhile. */
const CONNECTIONS = 2;

export interface DrainThreadData {
  readonly databaseUrl: string;
}

if (!parentPort) throw new Error('This is begun as a thread alone.');
const { databaseUrl } = workerData as DrainThreadData;
const config = readConfig();
const log = createLogger(config.logLevel);
const db = connectDatabase(databaseUrl, CONNECTIONS, log);
const clock = systemClock;
const { wakeups, serve } = createBatchWorker(parentPort);
const secrets = openSecretBox(config);
const { writer, erasureRule } = createRecording({ db, clock, wakeups, secrets });
const lines = createCarrierLines({ db, clock, secrets, wakeups });
serve(
  {
    ...{ clock, log, calls: writer, callIds: erasureRule.callIds, eventLog: createEventLog(db, wakeups) },
    carriers: { lookUpKept: (carrierId) => lines.find(carrierId) },
  },
  () => db.destroy(),
);
