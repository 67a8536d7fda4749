import { AppError, type ErrorKind, invalidFields, notFound, permissionDenied, STATUS_OF_KIND } from '../lib/errors.js';
import type { JsonSchema } from './json-schema.js';
import { presentProblem } from './problem.js';

const SENTENCES_OF_A_MEMBER: JsonSchema = { type: 'array', items: { type: 'string' } };

/** A member of every problem, in whose place the sentences about a wrong member of the same name may stand. */
const ownMember = (type: 'string' | 'integer', description: string): JsonSchema => ({
  description,
  anyOf: [{ type }, SENTENCES_OF_A_MEMBER],
});

export const PROBLEM: JsonSchema = {
  type: 'object',
  description:
    'RFC 9457. An error of a member or a filter is a member named after it, a list of sentences. One that is called ' +
    'like a member of the problem itself (`status`, `code`) takes its place; the status is also that of the answer.',
  required: ['type', 'title', 'status', 'detail', 'code', 'request_id'],
  properties: {
    type: ownMember('string', 'A kind of problem, as RFC 9457 has it.'),
    title: ownMember('string', 'The status in words.'),
    status: ownMember('integer', 'That of the answer.'),
    detail: ownMember('string', 'For people.'),
    code: ownMember('string', 'For programs; stable.'),
    request_id: ownMember('string', 'Also in the header X-Request-Id, and in the log.'),
  },
  additionalProperties: true,
};

const SENTENCES: Readonly<Record<number, string>> = {
  400: 'The body or the query is wrong: one list of sentences for each wrong member.',
  401: 'No credentials, or none that are valid now.',
  403: 'The role or the scope does not suffice.',
  404: 'There is no such thing in this account.',
  413: 'The body is too large.',
  415: 'The body has a type that is not taken here.',
  429: 'Too many requests; `Retry-After` says when to come again.',
  503: 'The database is out of reach, or the queue is; `Retry-After` says when to come again.',
};

const KIND_OF_STATUS: ReadonlyMap<number, ErrorKind> = new Map(
  Object.entries(STATUS_OF_KIND).map(([kind, status]) => [status, kind as ErrorKind]),
);

const USUAL: readonly AppError[] = [
  invalidFields({ phone_number: ['This field is required.'] }),
  new AppError('unauthenticated', 'not_authenticated', 'Authentication credentials were not provided.'),
  permissionDenied(),
  notFound(),
  new AppError('too_large', 'body_too_large', 'The body may have 1048576 bytes at most.'),
  new AppError('unsupported_type', 'unsupported_media_type', 'Unsupported media type "text/plain" in request.'),
  new AppError('rate_limited', 'rate_limited', 'Too many requests. Try again in 17 seconds.'),
  new AppError('unavailable', 'unavailable', 'The database does not answer now.'),
];

/** A problem as an answer's body, with an example: of the first code that the description names, if it names one. */
export function problemContent(status: number, description = ''): JsonSchema {
  const [, code] = /`([a-z_]+)`/.exec(description) ?? [];
  const kind = KIND_OF_STATUS.get(status) ?? 'internal';
  const usual = USUAL.find((error) => error.status === status);
  const error = code || !usual ? new AppError(kind, code ?? kind, description) : usual;
  return {
    schema: { $ref: '#/components/schemas/Problem' },
    example: presentProblem(error, '019a8f3e-5d2c-7b1a-9c4d-2f6e8a7b1c3d'),
  };
}

const retryAfter = { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } } };
const challenge = { 'WWW-Authenticate': { description: 'Bearer realm="api"', schema: { type: 'string' } } };

export const PROBLEM_RESPONSES: JsonSchema = Object.fromEntries(
  Object.entries(SENTENCES).map(([status, description]) => [
    status,
    {
      description,
      ...(status === '429' || status === '503' ? { headers: retryAfter } : {}),
      ...(status === '401' ? { headers: challenge } : {}),
      content: { 'application/problem+json': problemContent(Number(status)) },
    },
  ]),
);
