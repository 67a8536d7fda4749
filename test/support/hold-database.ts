import { startEmbedded } from '../../src/platform/db/embedded.js';

/** A process of its own that holds an embedded database until it is told to stop, or killed. */
const database = await startEmbedded({ dir: process.argv[2] ?? '', settings: { shared_buffers: '16MB' } });
process.once('SIGTERM', () => void database.stop());
console.log(database.url());
