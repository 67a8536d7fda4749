import type { Platform } from '../../platform/platform.js';
import { createBulkNumberRoutes } from './bulk-numbers.routes.js';
import { createBulkNumberService } from './bulk-numbers.service.js';
import { createNumberRoutes } from './numbers.routes.js';
import { createNumberService, type NumberDeps } from './numbers.service.js';

export { type Holding, holderAt } from './holding.js';
export type { VirtualNumber } from './number.js';
export { presentNumber } from './numbers.present.js';
export { findHolders, findHoldings, findNumbersHeldSince } from './numbers.queries.js';
export type { NumberDeps, NumberService, PortedNumbers } from './numbers.service.js';

/**
 * The accounts' phone numbers and who held them when.
 *
 *   const numbers = createNumbers(platform, { eventLog: events.log, onClaimed: ingestion.replayOf });
 *
 * `onClaimed` hears, after the commit, of the numbers that somebody holds from now on. For neighbours: `findHoldings`
 * and `holderAt` say whose a call is, `service.unassignNumbersOf` belongs to the removal of a user, `unassignNumbersOn`
 * to that of a carrier, and `claimPortedNumbers` (with `announceClaimed` after the commit) to the end of a port.
 */
export function createNumbers(platform: Platform, deps: NumberDeps) {
  const service = createNumberService(platform, deps);
  const bulk = createBulkNumberService(platform, deps.eventLog, service);
  return {
    service,
    routes: [...createBulkNumberRoutes(bulk), ...createNumberRoutes(service)],
  };
}

export type Numbers = ReturnType<typeof createNumbers>;
