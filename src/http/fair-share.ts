import { AppError } from '../lib/errors.js';
import { createLimit, type Limit } from '../lib/limit.js';

/** Runs a request's work when it is the turn of its account (or of whoever shares a lane). */
export type FairShare = <T>(whose: string, work: () => Promise<T> | T) => Promise<T>;

export interface FairShareOptions {
  /** Requests of one account that work at once; fewer than there are database connections, so that others find some. */
  readonly atOnce: number;
  /** How many may wait behind them; null: any number. */
  readonly mostWaiting: number | null;
}

const tooBusy = (): AppError =>
  new AppError('rate_limited', 'rate_limited', 'Too many requests of yours are waiting already.', {
    headers: { 'Retry-After': '1' },
  });

/**
 * One lane for each account, however many users and keys it has: a noisy account waits for itself, and never takes all
 * the connections that the others need.
 */
export function createFairShare({ atOnce, mostWaiting }: FairShareOptions): FairShare {
  const lanes = new Map<string, Limit>();

  return async (whose, work) => {
    const lane = lanes.get(whose) ?? createLimit(atOnce);
    if (mostWaiting !== null && lane.waiting() >= mostWaiting) throw tooBusy();
    lanes.set(whose, lane);
    try {
      return await lane.run(work);
    } finally {
      // Two may end together, and another begin on a new lane in between.
      if (lane.isIdle() && lanes.get(whose) === lane) lanes.delete(whose);
    }
  };
}
