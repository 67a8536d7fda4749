import Joi from 'joi';
import { commaList, idList, wordList } from '../../http/comma-list.js';
import { type PageQuery, pageQuery } from '../../http/pagination.js';
import { text } from '../../http/text.js';
import { parsePhoneNumber } from '../../lib/e164.js';
import { EXCEPTION_CODES } from './port-exception.js';
import { DOCUMENT_KINDS, type DocumentKind, PORT_ORDER_STATUSES, type PortOrderStatus } from './port-order.js';

const MOST_NUMBERS = 500;

const readPhoneNumber: Joi.CustomValidator = (value, helpers) => {
  const parsed = parsePhoneNumber(value);
  return parsed.ok ? parsed.e164 : helpers.message({ custom: parsed.message });
};

const phoneNumber = Joi.any()
  .custom(readPhoneNumber)
  .meta({ schema: { type: ['string', 'integer'] } })
  .example('+14155550100');

const phoneNumbers = Joi.array()
  .items(phoneNumber)
  .max(MOST_NUMBERS)
  .unique()
  .messages({ 'array.unique': 'The same number stands here twice.' })
  .description(`The numbers to move; at most ${MOST_NUMBERS}. Answered as E.164.`)
  .example(['+14155550100']);

const DAY = /^[12]\d{3}-\d{2}-\d{2}$/;

const TIME = /^([12]\d{3}-\d{2}-\d{2})T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

function isRealDay(value: string): boolean {
  const at = Date.parse(`${value}T00:00:00Z`);
  return DAY.test(value) && !Number.isNaN(at) && new Date(at).toISOString().startsWith(value);
}

/** A day as it is, or the UTC day of a time: where every other member is a time, clients send one here too. */
function readDay(value: string): string | undefined {
  if (isRealDay(value)) return value;
  const [, day] = TIME.exec(value) ?? [];
  const at = Date.parse(value);
  return day !== undefined && isRealDay(day) && !Number.isNaN(at) ? new Date(at).toISOString().slice(0, 10) : undefined;
}

const day = () =>
  Joi.string()
    .custom((value: string, helpers) => readDay(value) ?? helpers.error('day.invalid'))
    .messages({ 'day.invalid': 'Not a valid date (YYYY-MM-DD).' })
    .allow(null)
    .meta({ schema: { format: 'date' } })
    .example('2026-12-01');

const optionalText = (most: number) => text().trim().max(most).allow(null, '');

const subscriber = Joi.object({
  name: text().trim().max(200).allow(null).description('As the losing carrier has it on record.').example('Jane Doe'),
  address: optionalText(1000).description('The service address that the losing carrier has on record.'),
  account_number: optionalText(100).description('At the losing carrier. Stored encrypted.'),
  pin: optionalText(100).description(
    'Transfer PIN of the losing carrier. Stored encrypted; shown whole to operators alone, else `****` and its last ' +
      'two characters. Sending back what was shown leaves it as it is.',
  ),
}).description('Who has the numbers today. On change, what is not named stays.');

const content = {
  phone_numbers: phoneNumbers,
  losing_carrier: text().trim().max(200).allow(null).description('Who has the numbers today.').example('Old Telecom'),
  subscriber,
  requested_for: day().description('The day (UTC) on which the numbers should move; a time counts as its day.'),
};

export const newOrder = Joi.object(content);

export const orderPatch = Joi.object({
  ...content,
  status: Joi.string()
    .valid(...PORT_ORDER_STATUSES)
    .description('Moves the order.'),
  exception: Joi.object({
    code: text()
      .trim()
      .min(1)
      .max(64)
      .required()
      .description(`Why the order goes back: one of ${EXCEPTION_CODES.join(', ')}, or the losing carrier’s own.`)
      .example('pin_invalid'),
    message: text().trim().min(1).max(2000).required().description('What the losing carrier said.'),
  }).description('With the status `exception`, where it is required. Operators.'),
  foc_date: day().description(
    'The day that the losing carrier promised: with the status `foc_confirmed` (default: `requested_for`), or alone ' +
      'while the order has it. Operators.',
  ),
});

export interface NewDocument {
  readonly kind: DocumentKind;
  /** Only when it came as a text, which is no file. */
  readonly file?: unknown;
}

export const newDocument = Joi.object({
  kind: Joi.string()
    .valid(...DOCUMENT_KINDS)
    .required()
    .description('`loa`: letter of authorization, signed by the subscriber. `invoice`: of the losing carrier.'),
  file: Joi.any()
    .meta({ schema: { type: 'string', format: 'binary' } })
    .description('A PDF, PNG or JPEG by its content; 10 MiB at most.'),
});

export interface NewComment {
  readonly text: string;
  readonly internal: boolean;
}

export const newComment = Joi.object({
  text: text().trim().min(1).max(10_000).required().description('Plain text; never changed afterwards.'),
  internal: Joi.boolean().strict().default(false).description('Among operators: hidden from the account.'),
});

const accounts = idList().description('Of these accounts; operators see everybody’s.');

const numbers = commaList((entry) => {
  const parsed = parsePhoneNumber(entry);
  return parsed.ok ? parsed.e164 : undefined;
}, 'Not a phone number.');

export interface OrderQuery extends PageQuery {
  readonly status?: readonly PortOrderStatus[];
  readonly account_id?: readonly string[];
  readonly phone_number?: readonly string[];
  readonly foc_overdue?: boolean;
}

export const orderQuery = Joi.object({
  ...pageQuery(),
  status: wordList(PORT_ORDER_STATUSES).description('A comma list of states.').example('submitted,in_process'),
  account_id: accounts,
  phone_number: numbers.description('Orders with one of these numbers.').example('+14155550100'),
  foc_overdue: Joi.boolean().description('Whether the promised day has passed.'),
});

export interface SilentQuery extends PageQuery {
  readonly account_id?: readonly string[];
}

export const silentQuery = Joi.object({ ...pageQuery(), account_id: accounts });

export const page = Joi.object(pageQuery());
