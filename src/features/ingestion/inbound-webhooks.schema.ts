import Joi from 'joi';
import { commaList, idList, orNone, readId, wordList } from '../../http/comma-list.js';
import { type PageQuery, pageQuery } from '../../http/pagination.js';
import { time } from '../../http/time.js';
import { PROVIDERS } from '../carriers/index.js';
import { WEBHOOK_STATUSES } from './inbound-webhook.js';
import type { WebhookFilters } from './webhook-filters.js';

export type WebhookListQuery = PageQuery & WebhookFilters;

const readCode = (entry: string): string | undefined => (/^[a-z0-9_]{1,100}$/.test(entry) ? entry : undefined);

const AN_ID = '019a8f3e-5d2c-7b1a-9c4d-2f6e8a7b1c3d';

const filterKeys = () => ({
  carrier_id: idList().description('Comma list.').example(AN_ID),
  provider: wordList(PROVIDERS).description('Comma list.'),
  status: wordList(WEBHOOK_STATUSES).description('Comma list.').example('failed,ignored'),
  code: commaList(orNone(readCode), 'Not a code (lower-case words with _).')
    .description('Comma list; `none`: without a code.')
    .example('unknown_number'),
  call_log_id: idList(orNone(readId)).description('Comma list; `none`: of no call.').example(AN_ID),
  received_after: time().description('received_after ≤ received_at'),
  received_before: time().description('received_at < received_before'),
});

export const webhookPage = Joi.object({ ...filterKeys(), ...pageQuery() });
export const webhookFilters = Joi.object(filterKeys());
/** The same filters as members of a JSON body. */
export const webhookFiltersBody = Joi.object(filterKeys()).description('The filters of the list; none: everything.');

const isoTime = Joi.string().isoDate();
const id = Joi.string().guid();

export const webhookAnswer = Joi.object({
  id,
  carrier_id: id,
  provider: Joi.string().valid(...PROVIDERS),
  status: Joi.string().valid(...WEBHOOK_STATUSES),
  code: Joi.string().allow(null).description('Why it is waiting, ignored or failed.').example('unknown_number'),
  detail: Joi.string().allow(null),
  event_type: Joi.string().allow(null).description('The provider’s own name of the event.'),
  call_log_id: id.allow(null),
  deliveries: Joi.number().integer().description('How often it came; may be low after a crash.'),
  received_at: isoTime.description('Arrival of the first delivery.'),
  processed_at: isoTime.allow(null),
});

const signal = Joi.object({
  carrier_call_id: Joi.string(),
  state: Joi.string().valid('initiated', 'ringing', 'answered', 'ended'),
  occurred_at: isoTime.description('As told; absent: the arrival counts.'),
  direction: Joi.string().valid('incoming', 'outgoing'),
  from: Joi.string(),
  to: Joi.string(),
  disposition: Joi.string(),
  hangup_cause: Joi.string(),
  provider_cause: Joi.string(),
  hangup_source: Joi.string(),
  answered_at: isoTime.description('When the leg was answered, as its end tells.'),
  talk_seconds: Joi.number(),
  total_seconds: Joi.number(),
  parent_carrier_call_id: Joi.string(),
  session_id: Joi.string(),
  price: Joi.string(),
  currency: Joi.string(),
}).description('One statement about one leg; what is absent was not told.');

export const webhookInFullAnswer = webhookAnswer.keys({
  method: Joi.string().description('`POST`, or `IMPORT` for one that was read from a file.'),
  path: Joi.string().description('Path and query as received; secrets in the query are masked.'),
  delivery_key: Joi.string().description(
    'By which a repeated delivery is known. One that held an erased number holds the pseudonym, with the id behind it.',
  ),
  headers: Joi.object().pattern(Joi.string(), Joi.string()).description('Secrets and signatures are masked.'),
  body: Joi.string(),
  body_encoding: Joi.string().valid('utf-8', 'base64').description('`base64`: the body is no UTF-8 text.'),
  verdict: Joi.object({
    signature: Joi.string().valid('verified', 'not_checked').description('`not_checked`: it was read from a file.'),
    status: Joi.string().valid(...WEBHOOK_STATUSES),
    code: Joi.string().allow(null),
    detail: Joi.string().allow(null),
  }),
  understood: Joi.object({
    kind: Joi.string().valid('signals', 'ignored', 'failed'),
    event_type: Joi.string().allow(null),
    code: Joi.string().allow(null),
    detail: Joi.string().allow(null),
    signals: Joi.array().items(signal),
  }).description('What the adapter of this version reads from it.'),
  events: Joi.array()
    .items(
      Joi.object({
        seq: Joi.number().integer(),
        type: Joi.string(),
        occurred_at: isoTime,
        received_at: isoTime,
        call_log_id: id,
      }),
    )
    .description('The events that it caused.'),
});

export const queuedAnswer = Joi.object({
  queued: Joi.number().integer().description('Webhooks to be processed again.'),
});

export const webhookSummaryAnswer = Joi.object({
  status: Joi.string().valid(...WEBHOOK_STATUSES),
  code: Joi.string().allow(null),
  provider: Joi.string().valid(...PROVIDERS),
  carrier_id: id,
  count: Joi.number().integer(),
  newest: isoTime.description('Arrival of the newest.'),
  newest_id: id,
});

export const carrierStatisticsAnswer = Joi.object({
  carrier_id: id,
  from: isoTime,
  until: isoTime,
  webhooks: Joi.object()
    .pattern(Joi.string(), Joi.number().integer())
    .description('Kept webhooks that arrived in the time by status, their `total` and all `deliveries` of them.'),
  results: Joi.array().items(
    Joi.object({
      status: Joi.string().valid(...WEBHOOK_STATUSES),
      code: Joi.string().allow(null),
      count: Joi.number().integer(),
    }),
  ),
  delay: Joi.object({
    count: Joi.number().integer(),
    p50: Joi.number().allow(null).description('Seconds, within a tenth.'),
    p99: Joi.number().allow(null),
  }).description('From the time that the carrier tells to the arrival, whole hours.'),
  lost_calls: Joi.number().integer().description('Calls begun in the time that were closed without an end.'),
  accepted_count: Joi.number().integer().description('Since the carrier was set up.'),
  refused_count: Joi.number().integer(),
  last_accepted: Joi.object().unknown().allow(null),
  last_refused: Joi.object().unknown().allow(null),
});
