/**
 * The webhook door's use case: whose is it, is it from the provider, can it be read, is it stored. What is answered
 * with 2xx is on durable storage; what it means is found out later, by the drain.
 */
import type { Clock } from '../../lib/clock.js';
import { AppError } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import type { CarrierLine, Carriers, WebhookAnswer, WebhookContent, WebhookRequest } from '../carriers/index.js';
import type { BacklogWatch } from './backlog-watch.js';
import type { DeliveryCounter } from './delivery-counter.js';
import { CARRIER_INACTIVE, deliveryKeyOf, type NewWebhook, storableHeaders } from './inbound-webhook.js';
import type { InboxBatcher } from './inbox-batcher.js';
import { backlogFull, refused, unreadable } from './ingestion.errors.js';
import type { IngestionMetrics } from './ingestion-metrics.js';

export interface IngestionDeps {
  readonly carriers: Carriers;
  readonly batcher: InboxBatcher;
  readonly deliveries: DeliveryCounter;
  readonly clock: Clock;
  readonly metrics: IngestionMetrics;
  /** Refuses when MAX_BACKLOG webhooks wait for a worker. */
  readonly backlog: Pick<BacklogWatch, 'enter' | 'leave'>;
  /** Wakes a worker: something new is in the inbox. */
  poke(): void;
}

export interface Received {
  readonly answer: WebhookAnswer;
  readonly webhookId: string;
  readonly isNew: boolean;
}

export interface IngestionService {
  /** Null: no such carrier. @throws AppError 503: it cannot be looked up */
  findLine(carrierId: string): Promise<CarrierLine | null>;
  /** @throws AppError 401, 400, 503 */
  receive(line: CarrierLine, request: WebhookRequest): Promise<Received>;
}

export function createIngestionService(deps: IngestionDeps): IngestionService {
  const { carriers, batcher, deliveries, clock, metrics, backlog } = deps;

  function refuse(line: CarrierLine, code: string, detail: string): void {
    carriers.activity.refused(line.id, { at: clock.now(), code, detail });
    metrics.refused(line.provider, code);
  }

  /** What is not the carrier's fault: counted, and no part of what the carrier did. */
  function unserved(provider: string, error: unknown): unknown {
    metrics.refused(provider, error instanceof AppError ? error.code : 'internal');
    return error;
  }

  async function store(line: CarrierLine, webhook: NewWebhook): Promise<boolean> {
    try {
      if (!(await backlog.enter())) throw backlogFull();
      try {
        return (await batcher.store(webhook)).isNew;
      } finally {
        backlog.leave();
      }
    } catch (error) {
      throw unserved(line.provider, error);
    }
  }

  function read(line: CarrierLine, request: WebhookRequest): WebhookContent {
    const verdict = line.adapter.verify(request, line.secrets, clock.now());
    if (!verdict.ok) {
      refuse(line, verdict.code, verdict.detail);
      throw refused(verdict.code, verdict.detail, line.adapter.challenge);
    }
    const content = line.adapter.read(request);
    if (content) return content;
    const error = unreadable();
    refuse(line, error.code, error.message);
    throw error;
  }

  return {
    async findLine(carrierId) {
      try {
        return await carriers.lookUp(carrierId);
      } catch (error) {
        throw unserved('unknown', error);
      }
    },
    async receive(line, request) {
      const receivedAt = clock.now();
      const content = read(line, request);
      const webhook = newWebhook(line, request, content, receivedAt);
      const isNew = await store(line, webhook);
      if (!isNew) deliveries.count(webhook.carrierId, webhook.deliveryKey);
      else if (webhook.status === 'pending') deps.poke();
      carriers.activity.accepted(line.id, { at: receivedAt, inboundWebhookId: isNew ? webhook.id : null });
      metrics.accepted(line.provider, isNew);
      const { voiceUrl, plain } = line;
      return { answer: line.adapter.answer(request, content, { voiceUrl, plain }), webhookId: webhook.id, isNew };
    },
  };
}

export function newWebhook(
  line: CarrierLine,
  request: WebhookRequest,
  content: WebhookContent,
  receivedAt: number,
): NewWebhook {
  return {
    id: newId(),
    carrierId: line.id,
    accountId: line.accountId,
    provider: line.provider,
    deliveryKey: deliveryKeyOf(request, line.adapter.deliveryKey(request, content)),
    status: line.isActive ? 'pending' : 'ignored',
    code: line.isActive ? null : CARRIER_INACTIVE.code,
    detail: line.isActive ? null : CARRIER_INACTIVE.detail,
    method: request.method,
    path: request.path,
    headers: storableHeaders(request.headers),
    body: request.body,
    receivedAt,
  };
}
