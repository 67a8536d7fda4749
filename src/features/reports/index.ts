import type { AnyRoute } from '../../http/route.js';
import type { Platform } from '../../platform/platform.js';
import { reportsRoutes } from './reports.routes.js';
import { createReportsService } from './reports.service.js';

/**
 * Reports over call logs: counted when they are asked for, from the covering index of `call_logs`.
 *
 * @example
 * mount(createReports(platform).routes);
 */
export function createReports({ db, clock }: Pick<Platform, 'db' | 'clock'>): { readonly routes: readonly AnyRoute[] } {
  return { routes: reportsRoutes(createReportsService({ db, clock })) };
}
