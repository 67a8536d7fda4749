import Joi from 'joi';
import { CALL_EVENT_TYPES, EVENT_TYPES } from './event.js';

const time = () => Joi.string().isoDate().example('2026-10-26T12:00:00.000Z');

export const seq = () =>
  Joi.number().integer().min(0).description('Rises strictly within the account; means nothing but order.');

export interface LogQuery {
  readonly after: number;
  readonly limit: number;
}

export const logQuery = Joi.object<LogQuery>({
  after: seq()
    .max(Number.MAX_SAFE_INTEGER)
    .default(0)
    .description('Cursor: the last `seq` that the client has. 0: from the oldest event that is kept.'),
  limit: Joi.number().integer().min(1).max(500).default(50).description('Events of a page.'),
});

const header = {
  seq: seq().required(),
  occurred_at: time().required().description('When it happened, as told by the carrier where it told.'),
  received_at: time().required().description('When the news of it arrived.'),
  sent_at: time().required().description('When this message was sent.'),
};

const unsaid = Joi.object().unknown();

/** A call event as REST answers it and `/live` sends it; `call`: a call log, member by member. */
export const callEventWith = (call: Joi.ObjectSchema = unsaid) =>
  Joi.object({
    ...header,
    type: Joi.string()
      .valid(...CALL_EVENT_TYPES)
      .required(),
    call: call.required().description('The call log as the transaction that wrote the event left it.'),
  });

export const callRemoval = Joi.object({
  seq: seq().required(),
  type: Joi.string().valid('call.removed').required(),
  call: Joi.object({ id: Joi.string().guid().required() }).required(),
}).description('The call has left what the client may see or asked for.');

export const anyEventWith = (call: Joi.ObjectSchema = unsaid) =>
  Joi.object({
    ...header,
    type: Joi.string()
      .valid(...EVENT_TYPES)
      .required(),
    call: call.description('With `call.*`.'),
    virtual_number: Joi.object().unknown().description('With `number.*`.'),
    port_order: Joi.object().unknown().description('With `port_order.*`.'),
  });
