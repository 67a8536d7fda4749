import fc from 'fast-check';
import type { Report } from '../../../src/features/calls/call-facts.js';

const STATES = ['initiated', 'ringing', 'answered', 'ended'] as const;
export const BASE = Date.UTC(2026, 2, 2, 15, 0, 0);

/** A small range of times and keys, so that ties and conflicts are common. */
const time = fc.integer({ min: 0, max: 40 }).map((step) => BASE + step * 500);
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });

const verdict = fc.record({
  disposition: fc.constantFrom('completed', 'busy', 'no_answer', 'rejected', 'canceled', 'failed', null),
  hangupCause: fc.constantFrom('user_busy', 'normal_clearing', 'call_rejected', 'odd word', null),
  providerCause: fc.constantFrom('486', '16', null),
  hangupSource: fc.constantFrom('caller', 'callee', 'system', null),
});

/** Any report, conflicting with others as carriers' do; the delivery key makes it one webhook's. */
export const anyReport = (key: number): fc.Arbitrary<Report> =>
  fc.record({
    webhookId: fc.constant(`webhook-${key}`),
    deliveryKey: fc.constant(`key-${key}`),
    receivedAt: time,
    index: fc.constant(0),
    state: maybe(fc.constantFrom(...STATES)),
    occurredAt: maybe(time),
    direction: maybe(fc.constantFrom('incoming' as const, 'outgoing' as const)),
    presumedDirection: maybe(fc.constant('outgoing' as const)),
    from: maybe(fc.constantFrom('+12025550143', 'anonymous')),
    to: maybe(fc.constantFrom('+12025550100', '+12025550101')),
    verdict: maybe(verdict),
    answeredAt: maybe(time),
    talkSeconds: maybe(fc.integer({ min: 0, max: 12 })),
    totalSeconds: maybe(fc.integer({ min: 0, max: 20 })),
    parentCallId: maybe(fc.constantFrom('parent-a', 'parent-b')),
    sessionId: maybe(fc.constantFrom('session-a', 'session-b')),
    price: maybe(fc.constantFrom({ amount: '0.0085', currency: 'USD' }, { amount: '-1', currency: null })),
  }) as fc.Arbitrary<Report>;

/** Up to eight reports of different webhooks about one leg. */
export const anyReports: fc.Arbitrary<Report[]> = fc
  .integer({ min: 1, max: 8 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, key) => anyReport(key))));

/** A report with only what a test speaks of. */
export function report(members: Partial<Report> & { at?: number }): Report {
  const { at, ...rest } = members;
  const key = rest.deliveryKey ?? `key-${rest.state ?? 'note'}-${at ?? rest.receivedAt ?? 0}`;
  return {
    webhookId: `webhook-${key}`,
    deliveryKey: key,
    receivedAt: BASE + 3_600_000,
    index: 0,
    ...(at !== undefined && { occurredAt: BASE + at }),
    ...rest,
  };
}
