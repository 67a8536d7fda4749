import Joi from 'joi';
import { EXCEPTION_CODES } from './port-exception.js';
import { CANCEL_REASONS, DOCUMENT_KINDS, PORT_ORDER_STATUSES, SIDES } from './port-order.js';
import { TIMELINE_ACTIONS } from './port-timeline.repository.js';
import { SUBMISSION_CHECKS } from './submission.js';

const id = () => Joi.string().guid();
const time = () => Joi.string().isoDate().example('2026-11-22T12:00:00.000Z');
const day = () =>
  Joi.string()
    .meta({ schema: { format: 'date' } })
    .example('2026-12-01');
const number = () => Joi.string().example('+14155550100');

export const documentAnswer = Joi.object({
  id: id(),
  kind: Joi.string().valid(...DOCUMENT_KINDS),
  file_name: Joi.string(),
  content_type: Joi.string().description('By content.').example('application/pdf'),
  size: Joi.number().integer().description('Bytes.'),
  sha256: Joi.string().description('Of the content, hexadecimal.'),
  created_at: time(),
  url: Joi.string().description('Path of the content.'),
});

const exceptionAnswer = Joi.object({
  code: Joi.string().description(`One of ${EXCEPTION_CODES.join(', ')}, or as the operator gave it.`),
  message: Joi.string().description('What the losing carrier said.'),
  correction: Joi.string().allow(null).description('What puts it right.'),
  members: Joi.array().items(Joi.string()).description('What is to be looked at.').example(['subscriber.pin']),
});

export const orderAnswer = Joi.object({
  id: id(),
  account_id: id(),
  phone_numbers: Joi.array().items(number()),
  losing_carrier: Joi.string().allow(null),
  subscriber: Joi.object({
    name: Joi.string().allow(null),
    address: Joi.string().allow(null),
    account_number: Joi.string().allow(null),
    pin: Joi.string().allow(null).description('Masked; whole only for operators, in the answer of one order.'),
  }),
  requested_for: day().allow(null),
  status: Joi.string().valid(...PORT_ORDER_STATUSES),
  exception: exceptionAnswer.allow(null).description('While the order is in exception.'),
  foc_date: day().allow(null).description('The day that the losing carrier promised.'),
  foc_overdue: Joi.boolean().description('The promised day has passed and the numbers are not here.'),
  documents: Joi.array().items(documentAnswer).description('Oldest first.'),
  cancel_reason: Joi.string()
    .valid(...CANCEL_REASONS)
    .allow(null),
  created_at: time(),
  updated_at: time(),
  expires_at: time().allow(null).description('When the draft, left untouched, is canceled.'),
  submitted_at: time().allow(null),
  ported_at: time().allow(null),
  canceled_at: time().allow(null),
});

const portedNumber = {
  phone_number: number(),
  virtual_number_id: id(),
  ported_at: time(),
  first_call_at: time().allow(null).description('The first call that came in after the port; null: none so far.'),
  silent: Joi.boolean().description('No call has come in yet, so nothing proves that the port worked.'),
};

export const orderInFullAnswer = orderAnswer.keys({
  numbers: Joi.array().items(Joi.object(portedNumber)).description('What the order brought; none until it is ported.'),
});

export const silentNumberAnswer = Joi.object({ ...portedNumber, port_order_id: id(), account_id: id() });

export const checkAnswer = Joi.object({
  code: Joi.string().valid(...SUBMISSION_CHECKS.map(({ code }) => code)),
  field: Joi.string().description('The member of the order that is to be looked at.').example('subscriber.name'),
  passed: Joi.boolean(),
  blocking: Joi.boolean().description('Whether submitting is refused while it is not passed.'),
  message: Joi.string().allow(null).description('What is wrong; null when it is passed.'),
  correction: Joi.string().allow(null).description('What puts it right; null when it is passed.'),
  phone_numbers: Joi.array().items(number()).description('The numbers that are meant, if it is some of them.'),
});

const by = {
  by: Joi.string()
    .valid(...SIDES)
    .description('Who: the account, the operator, or time.'),
  by_user_id: id().allow(null).description('Null for API keys and, where accounts read, for the operator’s people.'),
};

export const commentAnswer = Joi.object({
  id: id(),
  text: Joi.string(),
  internal: Joi.boolean().description('Among operators; accounts see none of these.'),
  ...by,
  created_at: time(),
});

export const entryAnswer = Joi.object({
  id: id(),
  at: time(),
  action: Joi.string().valid(...TIMELINE_ACTIONS),
  ...by,
  internal: Joi.boolean(),
  changes: Joi.object()
    .pattern(Joi.string(), Joi.object({ from: Joi.any(), to: Joi.any() }))
    .description('Old and new value of each member that changed; of secrets only whether there was one.'),
  document: Joi.object({ id: id(), kind: Joi.string(), file_name: Joi.string() }).description('With `document_*`.'),
  comment_id: id().description('With `commented`.'),
  foc_date: day().description('With `foc_overdue`.'),
  phone_number: number().description('With `first_call_seen`.'),
  first_call_at: time().description('With `first_call_seen`.'),
});
