import Joi from 'joi';
import type { AppError } from '../../lib/errors.js';
import { callAnswer } from '../calls/index.js';
import { CALL_EVENT_TYPES, callEventWith, callRemovalSchema, seqSchema } from '../events/index.js';
import type { CallFilter } from './call-filter.js';
import { invalidRequest } from './live.errors.js';

const MOST_ENTRIES = 500;
const list = (entry: Joi.Schema): Joi.ArraySchema => Joi.array().items(entry).min(1).max(MOST_ENTRIES);
// Ids are compared as PostgreSQL writes them; `convert: false` keeps Joi's own rule from lowering them.
const idOrNone = () =>
  Joi.string()
    .guid({ separator: '-', wrapper: false })
    .custom((id: string) => id.toLowerCase())
    .allow(null)
    .description('An id; null: calls without one.');

export const subscribeMessage = Joi.object<CallFilter>({
  virtual_number_ids: list(idOrNone()).description('Calls of these virtual numbers.'),
  user_ids: list(idOrNone()).description('Calls of these users.'),
  directions: list(Joi.string().valid('incoming', 'outgoing')).description('Calls of these directions.'),
  types: list(Joi.string().valid(...CALL_EVENT_TYPES)).description('Events of these types.'),
  tags: list(Joi.string().max(200)).description('Calls that have one of these tags.'),
}).description('Replaces the filter. Lists are OR inside and AND between; an absent one asks nothing.');

export interface Handshake {
  readonly token: unknown;
  readonly after?: number;
  readonly subscribe?: CallFilter;
}

export const handshakeAuth = Joi.object({
  token: Joi.any()
    .description('An access token, or an API key with `calls:read`.')
    .meta({ schema: { type: 'string' } }),
  after: seqSchema()
    .max(Number.MAX_SAFE_INTEGER)
    .description('The last `seq` that the client has; 0: everything kept.'),
  subscribe: subscribeMessage,
}).unknown();

export const authenticateMessage = Joi.object<{ token: unknown }>({
  token: Joi.any()
    .required()
    .description('A new token of the same user.')
    .meta({ schema: { type: 'string' } }),
});

const calls = Joi.array().items(callAnswer).required();
const callEvent = callEventWith(callAnswer);

export const acknowledgement = Joi.alternatives(
  Joi.object({ ok: Joi.boolean().valid(true).required(), seq: seqSchema().required() }),
  Joi.object({
    ok: Joi.boolean().valid(false).required(),
    error: Joi.object({ code: Joi.string().required(), message: Joi.string().required() }).required(),
  }),
);

export const CLOSE_CODES = ['token_expired', 'token_revoked', 'slow_consumer', 'shutting_down'] as const;
export type CloseCode = (typeof CLOSE_CODES)[number];

/** What the server sends, by message name. */
export const serverMessages: Readonly<Record<string, Joi.Schema>> = {
  snapshot: Joi.object({ seq: seqSchema().required(), calls }).description(
    'The calls in progress that the client may see and asked for, as of `seq`. Replaces the board.',
  ),
  ...Object.fromEntries(CALL_EVENT_TYPES.map((type) => [type, callEvent.description(`A \`${type}\` event.`)])),
  'call.removed': callRemovalSchema,
  caught_up: Joi.object({ seq: seqSchema().required() }).description(
    'Everything up to `seq` has been sent; the answer to a handshake with `after`.',
  ),
  reset: Joi.object({ oldest_seq: seqSchema().required() }).description(
    'The cursor is too old or not of this log; a `snapshot` follows.',
  ),
  token_expiring: Joi.object({ expires_at: Joi.string().isoDate().required() }).description(
    'The token ends in 30 seconds or less: send `authenticate`.',
  ),
  closed: Joi.object({
    code: Joi.string()
      .valid(...CLOSE_CODES)
      .required(),
    seq: seqSchema().required(),
  }).description('The server closes the connection; `seq` is the cursor to come back with.'),
  error: Joi.object({ code: Joi.string().required(), message: Joi.string().required() }).description(
    'A message without an acknowledgement could not be understood.',
  ),
};

/** @throws AppError `invalid_request`; nothing is converted: messages are JSON already */
export function checkMessage<T>(schema: Joi.ObjectSchema<T>, value: unknown): T {
  const result = schema.validate(value ?? {}, { convert: false, errors: { wrap: { label: '`' } } });
  if (!result.error) return result.value;
  throw explain(result.error);
}

const explain = (error: Joi.ValidationError): AppError => invalidRequest(`${error.message}.`);
