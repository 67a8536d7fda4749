import pLimit, { type LimitFunction } from 'p-limit';
import { AppError } from '../lib/errors.js';

/** Runs a request's work when it is the turn of its account (or of whoever shares a lane). */
export type FairShare = <T>(whose: string, work: () => Promise<T> | T) => Promise<T>;

export interface FairShareOptions {
  /** Requests of one account that work at once; fewer than there are database connections, so that others find some. */
  readonly atOnce: number;
  /** How many may wait behind them; null: any number. */
  readonly mostWaiting: number | null;
}

interface Lane {
  readonly limit: LimitFunction;
  inside: number;
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
  const lanes = new Map<string, Lane>();

  return async (whose, work) => {
    const lane = lanes.get(whose) ?? { limit: pLimit(atOnce), inside: 0 };
    if (mostWaiting !== null && lane.limit.pendingCount >= mostWaiting) throw tooBusy();
    lanes.set(whose, lane);
    lane.inside += 1;
    try {
      return await lane.limit(work);
    } finally {
      lane.inside -= 1;
      if (lane.inside === 0) lanes.delete(whose);
    }
  };
}
