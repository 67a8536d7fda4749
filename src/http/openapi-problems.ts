import type { JsonSchema } from './json-schema.js';

export const PROBLEM: JsonSchema = {
  type: 'object',
  description: 'RFC 9457. An error of a member is a member named after it, a list of sentences.',
  required: ['type', 'title', 'status', 'detail', 'code', 'request_id'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'For people.' },
    code: { type: 'string', description: 'For programs; stable.' },
    request_id: { type: 'string', description: 'Also in the header X-Request-Id, and in the log.' },
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
};

const EXAMPLES: Readonly<Record<number, JsonSchema>> = {
  400: { code: 'invalid', phone_number: ['This field is required.'] },
  401: { code: 'not_authenticated', detail: 'Authentication credentials were not provided.' },
  403: { code: 'permission_denied', detail: 'You do not have permission to perform this action.' },
  404: { code: 'not_found', detail: 'Not found.' },
};

const retryAfter = { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } } };
const challenge = { 'WWW-Authenticate': { description: 'Bearer realm="api"', schema: { type: 'string' } } };

export const PROBLEM_RESPONSES: JsonSchema = Object.fromEntries(
  Object.entries(SENTENCES).map(([status, description]) => [
    status,
    {
      description,
      ...(status === '429' ? { headers: retryAfter } : {}),
      ...(status === '401' ? { headers: challenge } : {}),
      content: {
        'application/problem+json': {
          schema: { $ref: '#/components/schemas/Problem' },
          ...(EXAMPLES[Number(status)] ? { example: EXAMPLES[Number(status)] } : {}),
        },
      },
    },
  ]),
);
