import type { Knex } from 'knex';
import type { Clock } from '../lib/clock.js';
import type { Config } from './config.js';
import type { Closer } from './lifecycle.js';
import type { Limiter } from './limiter/limiter.js';
import type { Logger } from './log.js';
import type { Metrics } from './metrics.js';
import type { Queue } from './queue/queue.js';
import type { SecretBox } from './secret-box.js';
import type { Tracing } from './tracing.js';
import type { Wakeups } from './wakeups.js';

/** The outside world as the features get it, built once in `wire.ts` and passed down. */
export interface Platform {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  readonly db: Knex;
  readonly queue: Queue;
  readonly wakeups: Wakeups;
  readonly limiter: Limiter;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly secrets: SecretBox;
  /** Key of the tokens. */
  readonly jwtSecret: string;
  readonly closer: Closer;
  /** `PUBLIC_URL`, or the address this process listens on, known once it listens. */
  publicUrl(): string;
}
