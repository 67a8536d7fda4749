import type { AnyRoute } from '../../http/route.js';
import type { Platform } from '../../platform/platform.js';
import type { CarrierLine } from './carrier.js';
import { type CarrierActivity, createCarrierActivity } from './carrier-activity.js';
import { createCarrierLines } from './carrier-lines.js';
import { carriersRoutes } from './carriers.routes.js';
import { type CarriersService, createCarriersService, type RemovingCarrier } from './carriers.service.js';

export type { CarrierLine } from './carrier.js';
export type { CarrierActivity } from './carrier-activity.js';
export { type CarrierLines, createCarrierLines } from './carrier-lines.js';
export type { CarriersService } from './carriers.service.js';
export type {
  CallState,
  CarrierContext,
  Direction,
  Disposition,
  HangupSource,
  ProviderAdapter,
  ProviderName,
  Secrets,
  Signal,
  Understanding,
  Verdict,
  WebhookAnswer,
  WebhookContent,
  WebhookRequest,
} from './provider.js';
export { dispositionOfCause, HANGUP_CAUSES } from './providers/hangup-causes.js';
export { findAdapter, PROVIDERS } from './registry.js';

/**
 * Accounts' lines to providers.
 *
 * @example the webhook door
 * const line = await carriers.lookUp(carrierId);            // null: 404; throws AppError unavailable: 503
 * const verdict = line.adapter.verify(request, line.secrets, now);
 * if (!verdict.ok) carriers.activity.refused(line.id, { at: now, code: verdict.code, detail: verdict.detail });
 * else carriers.activity.accepted(line.id, { at: now, inboundWebhookId: id });   // after it is stored
 *
 * @example the worker, which still owes an answer to what came before the carrier was deleted
 * const line = await carriers.lookUpKept(webhook.carrierId);
 */
export interface Carriers {
  readonly service: CarriersService;
  readonly routes: readonly AnyRoute[];
  readonly activity: CarrierActivity;
  /** The carrier's line, at most a second old; null when it is unknown or deleted. */
  lookUp(carrierId: string): Promise<CarrierLine | null>;
  /** The same with the deleted ones (`isDeleted`, without secrets). */
  lookUpKept(carrierId: string): Promise<CarrierLine | null>;
  /** Tells the log when ENCRYPTION_KEY does not open what is stored; other carriers work all the same. */
  checkKey(): Promise<void>;
}

export interface CarriersDeps {
  /** Opens the transaction of a carrier's removal, in which the numbers on it become unassigned; without: none are. */
  readonly removingCarrier?: RemovingCarrier;
}

export function createCarriers(platform: Platform, deps: CarriersDeps = {}): Carriers {
  const { db, clock, log, secrets, wakeups, closer } = platform;
  const lines = createCarrierLines({ db, clock, secrets, wakeups });
  closer.defer('lines of carriers', () => lines.close());
  const activity = createCarrierActivity({ db, clock, log });
  closer.defer('activity of carriers', () => activity.close());
  const { removingCarrier = (_, remove) => db.transaction(remove) } = deps;
  const service = createCarriersService({ db, clock, secrets, wakeups, activity, removingCarrier });
  return {
    service,
    activity,
    routes: carriersRoutes(service, () => platform.publicUrl()),
    lookUpKept: (carrierId) => lines.find(carrierId),
    async lookUp(carrierId) {
      const line = await lines.find(carrierId);
      return line?.isDeleted ? null : line;
    },
    async checkKey() {
      const carriers = await service.countUnreadable();
      if (carriers > 0) log.error({ carriers }, 'ENCRYPTION_KEY does not open credentials: webhooks are answered 503');
    },
  };
}
