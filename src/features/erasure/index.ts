import type { AnyRoute } from '../../http/route.js';
import type { Platform } from '../../platform/platform.js';
import type { PeriodicJob } from '../../platform/queue/periodic.js';
import { type Resealed, resealColumns } from '../../platform/reseal.js';
import { EVENTS_REWRITTEN_TOPIC } from '../events/index.js';
import { HEARD_AFTER_MS } from './erasure.js';
import { erasureRoutes } from './erasure.routes.js';
import { createErasureService } from './erasure.service.js';
import { createErasureWorker, LOOK_EVERY_MS } from './erasure.worker.js';
import type { ErasureRule } from './erasure-rule.js';
import { SEALED_COLUMNS } from './sealed-columns.js';

export { createErasureRule, type ErasureRule } from './erasure-rule.js';

/**
 * Parties that are made unreadable, in what is there and in what comes later.
 *
 * @example
 * const rule = createErasureRule(platform);
 * const writer = createCallsWriter(platform.clock, { erasedIn: rule.erasedIn, callIds: rule.callIds });
 * const erasure = createErasure(platform, rule);
 */
export interface ErasureFeature {
  readonly routes: readonly AnyRoute[];
  readonly jobs: readonly PeriodicJob[];
  /** Seals everything anew that was sealed with the previous key; may run while the product runs. */
  reseal(): Promise<Resealed>;
  /** Works off what is due; answers how many erasures were finished. */
  work(): Promise<number>;
}

export function createErasure(platform: Platform, rule: ErasureRule): ErasureFeature {
  const { db, log, queue, secrets, wakeups, closer } = platform;
  const timers = new Set<NodeJS.Timeout>();
  closer.defer('erasures', () => {
    for (const timer of timers) clearTimeout(timer);
  });

  /** Wakes a worker when the erasure is due; should that be lost, the scheduled look finds it. */
  function asked(): void {
    rule.tellErased();
    const timer = setTimeout(() => {
      timers.delete(timer);
      queue.add('erase-parties', {}).catch((error: unknown) => log.debug({ err: error }, 'poke was lost'));
    }, HEARD_AFTER_MS + 100);
    timers.add(timer.unref());
  }

  const work = createErasureWorker({
    ...{ db, log, secrets, rule },
    rewritten: (accountId) => wakeups.publish(EVENTS_REWRITTEN_TOPIC, accountId),
  });
  return {
    routes: erasureRoutes(createErasureService({ db, secrets, asked })),
    jobs: [{ name: 'erase-parties', everyMs: LOOK_EVERY_MS, run: work }],
    reseal: () => resealColumns(db, secrets, SEALED_COLUMNS),
    work,
  };
}
