import { type AnyRoute, route } from '../../http/route.js';
import type { Retention } from './retention.js';
import { retentionAnswer, retentionChanges } from './retention.schema.js';

type None = Record<string, string>;

export interface RetentionDoor {
  get(accountId: string): Promise<Record<string, unknown>>;
  change(
    actor: Parameters<AnyRoute['handle']>[0]['actor'],
    changes: Partial<Retention>,
  ): Promise<Record<string, unknown>>;
}

const ADMIN = { path: '/api/retention/', tag: 'Retention and erasure', access: 'bearer', role: 'admin' } as const;

export const retentionRoutes = (door: RetentionDoor): AnyRoute[] => [
  route<None>({
    ...ADMIN,
    method: 'get',
    summary: 'How long the account keeps call logs, events and webhooks',
    responses: { 200: { description: 'The days.', schema: retentionAnswer } },
    handle: ({ actor }) => door.get(actor.accountId),
  }),
  route<None, unknown, Partial<Retention>>({
    ...ADMIN,
    method: 'patch',
    summary: 'Change how long the account keeps things',
    description:
      'What is older is deleted within some minutes. A webhook that tells of something older than the account keeps ' +
      'call logs is `ignored` with the code `expired`, also when it is replayed.',
    body: retentionChanges,
    responses: { 200: { description: 'The days.', schema: retentionAnswer } },
    handle: ({ actor, body }) => door.change(actor, body),
  }),
];
