import { problemContent } from '../../http/openapi-problems.js';

const problem = (status: number, description: string) => ({
  description,
  content: { 'application/problem+json': problemContent(status, description) },
});

/** As of a generic carrier; every other one sends its own. */
const CALL_RINGS = {
  type: 'call.ringing',
  call_id: 'call-4711',
  direction: 'incoming',
  from: '+442079460018',
  to: '+12025550143',
  occurred_at: '2026-10-05T07:30:00.000Z',
};

/** The carriers' door stands before the route table; this is its place in the OpenAPI document. */
export const WEBHOOK_PATHS = {
  '/webhooks/{carrier_id}/': {
    post: {
      operationId: 'receiveWebhook',
      tags: ['Carrier webhooks'],
      summary: 'Take a carrier’s webhook, in the provider’s own format',
      description:
        'Also at any path and with any query below it. What is signed is `PUBLIC_URL`, path and query as received, and ' +
        'the raw bytes of the body. Answered 2xx once the webhook is on durable storage, also when it came before or is ' +
        'of no use; the status and body are those that the provider wants.',
      parameters: [{ name: 'carrier_id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }],
      requestBody: {
        required: true,
        content: {
          'application/json': { schema: { type: 'object' }, example: CALL_RINGS },
          'application/x-www-form-urlencoded': { schema: { type: 'object' } },
        },
      },
      responses: {
        200: { description: 'Stored; a document for the provider (voice requests).' },
        204: { description: 'Stored.' },
        400: problem(400, '`unreadable`: neither JSON nor a form.'),
        401: problem(401, 'The signature does not fit, or is too old.'),
        404: problem(404, '`unknown_carrier`: no such carrier.'),
        405: problem(405, 'Only POST.'),
        413: problem(413, 'More than 256 KiB.'),
        503: problem(
          503,
          '`unavailable`, `carrier_unavailable`, `backlog_full`: it cannot be stored now, or too many wait; `Retry-After` says when to come again.',
        ),
      },
      security: [],
    },
  },
};
