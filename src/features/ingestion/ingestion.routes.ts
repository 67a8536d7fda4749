import type { Context, Middleware, Next } from 'koa';
import { readBytes } from '../../http/body.js';
import { isId } from '../../lib/ids.js';
import type { WebhookRequest } from '../carriers/index.js';
import { onlyPost, unknownCarrier } from './ingestion.errors.js';
import type { IngestionService } from './ingestion.service.js';

const PATH = /^\/webhooks\/([^/]+)(?:\/|$)/;
const BODY_LIMIT = 262_144;

/**
 * `POST /webhooks/{carrier_id}/` and whatever is below it. It stands before the route table, because signatures cover
 * the raw bytes and the URL as received. Order of answers: contract, section 6.
 */
export function webhookDoor(service: IngestionService, publicUrl: () => string): Middleware {
  return async (ctx: Context, next: Next) => {
    const id = PATH.exec(ctx.path)?.[1];
    if (id === undefined) return next();
    ctx.state.route = '/webhooks/:carrier_id/';
    const line = isId(id) ? await service.findLine(id) : null;
    if (ctx.method !== 'POST') throw onlyPost(ctx.method);
    if (!line) throw unknownCarrier();
    const body = await readBytes(ctx.req, BODY_LIMIT);
    const request: WebhookRequest = {
      method: ctx.method,
      url: publicUrl() + ctx.originalUrl,
      path: ctx.originalUrl,
      headers: headersOf(ctx),
      body,
    };
    const received = await service.receive(line, request);
    Object.assign(ctx.state.facts, {
      carrierId: line.id,
      provider: line.provider,
      webhookId: received.webhookId,
      duplicate: !received.isNew,
      bytes: body.length,
    });
    const { answer } = received;
    ctx.status = answer.status;
    // Not left out: koa would write the name of the status into the answer.
    ctx.body = answer.body ?? '';
    if (answer.contentType !== undefined) ctx.type = answer.contentType;
  };
}

function headersOf(ctx: Context): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(ctx.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}
