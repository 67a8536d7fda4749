import { createRequire } from 'node:module';

/**
 * BullMQ as CommonJS. Its 170 files as ES modules cost each start 0.13 s of processor more, and the queue's page, whose
 * library asks for it this way, would load it a second time.
 */
const bullmq = createRequire(import.meta.url)('bullmq') as typeof import('bullmq');

export const { Queue, Worker, UnrecoverableError, createPostgresBackend, createRedisBackend } = bullmq;
export const { assertSchemaCompatibility, LATEST_SCHEMA_VERSION, runMigrations, SchemaVersionMismatchError } = bullmq;
