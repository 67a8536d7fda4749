import Joi from 'joi';
import { pageQuery } from '../../http/pagination.js';
import { tag, text } from '../../http/text.js';
import { isTimeZone } from '../../lib/time-zone.js';
import { CALL_DIRECTIONS, CALL_DISPOSITIONS, CALL_STATUSES } from './call.js';
import { callFilterKeys } from './call-filters.schema.js';
import { CALL_FIELDS } from './calls.present.js';

export const callPage = Joi.object({ ...callFilterKeys(), ...pageQuery() });

const fieldList = Joi.string().custom((value: string, helpers) => {
  const names = value.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !(CALL_FIELDS as readonly string[]).includes(name));
  return unknown === undefined
    ? [...new Set(names)]
    : helpers.error('columns.unknown', { name: unknown.slice(0, 100) });
});

export const callExport = Joi.object({
  ...callFilterKeys(),
  format: Joi.string().valid('csv', 'ndjson').default('csv'),
  timezone: Joi.string()
    .custom((value: string, helpers) => (isTimeZone(value) ? value : helpers.error('timezone.unknown')))
    .messages({ 'timezone.unknown': 'Not a known time zone (IANA name).' })
    .description('IANA name; the times are then those of its clocks, with their offset. Else UTC.')
    .example('Europe/Berlin'),
  columns: fieldList
    .messages({ 'columns.unknown': 'Unknown column {#name}.' })
    .description('Comma list of the members wanted, in this order. Default: all of them.')
    .example('started_at,caller_number,duration'),
  cursor: Joi.string()
    .max(500)
    .description(
      'Goes on behind a row: the `id` of the last one that arrived whole (or a cursor of the list). The header line ' +
        'is then left out, so that the answer can be appended to what is there.',
    ),
});

export const callChanges = Joi.object({
  tags: Joi.array()
    .items(tag(100))
    .max(50)
    .description('Takes the place of the tags that were; doubles are dropped. None has a comma or is called `none`.'),
  note: text().allow(null, '').max(10_000).description('Null or empty: none.'),
});

const time = Joi.string().isoDate();
const id = Joi.string().guid();

export const callAnswer = Joi.object({
  id,
  virtual_number_id: id.allow(null),
  virtual_number: Joi.string().allow(null).description('As it was when the call log was made.'),
  user_id: id.allow(null).description('Whose number it was when the call began.'),
  direction: Joi.string().valid(...CALL_DIRECTIONS),
  caller_number: Joi.string()
    .allow(null)
    .description('E.164, or as the carrier sent it where it is no such number; null: not told.'),
  called_number: Joi.string().allow(null),
  status: Joi.string().valid(...CALL_STATUSES),
  disposition: Joi.string()
    .valid(...CALL_DISPOSITIONS)
    .allow(null)
    .description('How it ended; null until then.'),
  timestamp: time.description('The same as `started_at`.'),
  started_at: time,
  ringing_at: time.allow(null),
  answered_at: time.allow(null),
  ended_at: time.allow(null),
  duration: Joi.number().integer().description('Seconds of talk; 0 when unanswered or not ended.'),
  ring_duration: Joi.number().integer().allow(null),
  hangup_cause: Joi.string().allow(null).example('normal_clearing'),
  hangup_source: Joi.string().valid('caller', 'callee', 'system').allow(null),
  provider_cause: Joi.string().allow(null).description('The carrier’s own code.'),
  provider: Joi.string(),
  carrier_id: id,
  carrier_call_id: Joi.string(),
  parent_call_log_id: id.allow(null).description('The leg that made this one.'),
  price: Joi.string().allow(null).description('Decimal.').example('0.0075'),
  currency: Joi.string().allow(null).example('USD'),
  tags: Joi.array().items(Joi.string()),
  note: Joi.string().allow(null),
  updated_at: time,
});

/** Events, legs and changes of one call are few: all of them, unless there are more than a page may have. */
export const oneCallPage = Joi.object(pageQuery(500, 500));

export const timelineAnswer = Joi.object({
  seq: Joi.number().integer(),
  type: Joi.string().example('call.answered'),
  occurred_at: time,
  received_at: time,
  inbound_webhook_id: id.allow(null),
});

export const callHistoryAnswer = Joi.object({
  id,
  at: time,
  by_user_id: id.allow(null),
  by_api_key_id: id.allow(null),
  changes: Joi.object().description('For each changed member `{from, to}`.'),
});
