import { setTimeout as pause } from 'node:timers/promises';

/** @throws Error when it takes longer; it may still go on then. */
export async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = async (): Promise<never> => {
    await pause(limitMs, undefined, { signal: stop.signal });
    throw new Error(`not done after ${limitMs / 1000} s`);
  };
  try {
    return await Promise.race([work, late()]);
  } finally {
    stop.abort();
  }
}
