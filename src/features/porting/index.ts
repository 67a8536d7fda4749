import type { Platform } from '../../platform/platform.js';
import type { PeriodicJob } from '../../platform/queue/periodic.js';
import { resealColumns } from '../../platform/reseal.js';
import { portCommentRoutes } from './port-comments.routes.js';
import { createPortCommentService } from './port-comments.service.js';
import { portDocumentRoutes } from './port-documents.routes.js';
import { createPortDocumentService } from './port-documents.service.js';
import { portingRoutes } from './porting.routes.js';
import { createPortingService, type PortingDeps } from './porting.service.js';
import { createPortingSweeper, TEND_EVERY_MS } from './porting.sweeper.js';
import { SUBSCRIBER_SECRETS } from './subscriber-secrets.js';

export type { PortingDeps } from './porting.service.js';

/**
 * Moving phone numbers here from other carriers.
 *
 *   const porting = createPorting(platform, { eventLog, numbers });
 *
 * `routes` are for the role api, `jobs` for the role worker; `reseal` belongs to a change of the
 * encryption key. `tend` is what the job does.
 */
export function createPorting(platform: Platform, deps: PortingDeps) {
  const { db, clock, secrets } = platform;
  const service = createPortingService(platform, deps);
  const documents = createPortDocumentService(platform, service);
  const comments = createPortCommentService(platform, service);
  const tend = createPortingSweeper({ db, clock, secrets, eventLog: deps.eventLog });
  const jobs: readonly PeriodicJob[] = [{ name: 'tend-port-orders', everyMs: TEND_EVERY_MS, run: tend }];
  return {
    routes: [
      ...portingRoutes(service, clock),
      ...portDocumentRoutes(documents),
      ...portCommentRoutes(comments, service),
    ],
    jobs,
    tend,
    reseal: () => resealColumns(db, secrets, [SUBSCRIBER_SECRETS]),
  };
}

export type Porting = ReturnType<typeof createPorting>;
