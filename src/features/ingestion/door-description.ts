const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

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
          'application/json': { schema: { type: 'object' } },
          'application/x-www-form-urlencoded': { schema: { type: 'object' } },
        },
      },
      responses: {
        200: { description: 'Stored; a document for the provider (voice requests).' },
        204: { description: 'Stored.' },
        400: problem('Neither JSON nor a form.'),
        401: problem('The signature does not fit, or is too old.'),
        404: problem('No such carrier.'),
        405: problem('Only POST.'),
        413: problem('More than 256 KiB.'),
        503: problem('Cannot be stored now, or too many webhooks wait; `Retry-After` says when to come again.'),
      },
      security: [],
    },
  },
};
