/**
 * What the libraries do without a product around them: a Koa route that runs one query and answers its rows, an insert
 * with a Socket.IO emit behind it, and an emit alone.
 *
 * BARE_QUERIES: JSON of {path: {text, values}}, one GET route each.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import pg from 'pg';
import { Server } from 'socket.io';
import { readBytes } from '../../src/http/body.js';

interface Query {
  readonly text: string;
  readonly values: unknown[];
}

const queries = JSON.parse(process.env.BARE_QUERIES ?? '{}') as Record<string, Query>;
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 16 });
const app = new Koa();
const io = new Server({ perMessageDeflate: false, transports: ['websocket'] });

app.use(async (ctx) => {
  const query = queries[ctx.path];
  if (ctx.method === 'GET' && query) {
    const { rows } = await pool.query(query.text, query.values);
    ctx.body = rows;
    return;
  }
  const event = JSON.parse((await readBytes(ctx.req, 1_048_576)).toString('utf8'));
  if (ctx.path === '/insert-and-emit') {
    await pool.query('insert into bare_rows (body) values ($1)', [event]);
    io.emit('event', event);
  } else if (ctx.path === '/fan') await fan(event);
  ctx.status = 204;
});

/** Gives the sockets their turn after each batch, as whoever reads events from somewhere does. */
async function fan({ events, batch, payload }: { events: number; batch: number; payload: object }): Promise<void> {
  for (let sent = 0; sent < events; ) {
    for (let place = 0; place < batch && sent < events; place += 1, sent += 1) {
      io.emit('event', { ...payload, seq: sent, sent_at: new Date().toISOString() });
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const server = createServer(app.callback());
io.attach(server);
await pool.query('create table if not exists bare_rows (id bigserial primary key, body jsonb)');
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`The bare server is ready on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.once('SIGTERM', () => process.exit(0));
