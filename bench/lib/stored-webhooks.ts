import type pg from 'pg';
import { newId } from '../../src/lib/ids.js';
import type { LoadRequest } from './http-load.js';
import type { Line } from './world.js';

const AT_ONCE = 2000;

/** Puts requests into the inbox as accepted and pending, without the door. */
export async function fillInbox(
  client: pg.Client,
  requests: readonly LoadRequest[],
  lines: readonly Line[],
): Promise<void> {
  const owners = new Map(lines.map(({ path, accountId }) => [path, accountId]));
  for (let from = 0; from < requests.length; from += AT_ONCE) {
    const rows = requests.slice(from, from + AT_ONCE).map(({ id, bytes }) => {
      const [head = '', body = ''] = bytes.toString('utf8').split('\r\n\r\n');
      const [start = '', ...fields] = head.split('\r\n');
      const path = start.split(' ')[1] ?? '';
      const headers = Object.fromEntries(
        fields.map((field) =>
          field
            .toLowerCase()
            .split(/: (.*)/s)
            .slice(0, 2),
        ),
      );
      return { id: newId(), key: id, path, account: owners.get(path), carrier: path.split('/')[2], headers, body };
    });
    await client.query(
      `with stored as (
         insert into inbound_webhooks (id, carrier_id, account_id, provider, delivery_key, status, method, path, headers,
           body, received_at)
         select id, carrier, account, 'generic', key, 'new', 'POST', path, headers, convert_to(body, 'utf8'), now()
         from jsonb_to_recordset($1::jsonb) as r (id uuid, carrier uuid, account uuid, key text, path text, headers jsonb,
           body text)
         on conflict on constraint inbound_webhooks_delivery_key do nothing returning id)
       insert into webhook_arrivals (id, ids)
       select (array_agg(id order by id))[1], array_agg(id order by id)
       from (select id, row_number() over (order by id) / 50 as arrival from stored) as s group by arrival`,
      [JSON.stringify(rows)],
    );
  }
}

/** Webhooks that were processed within the last days, as they lie in the inbox of a switchboard that has run for long. */
export async function oldInbox(client: pg.Client, lines: readonly Line[], count: number): Promise<void> {
  const [line] = lines;
  await client.query(
    `with stored as (
       insert into inbound_webhooks (id, carrier_id, account_id, provider, delivery_key, status, method, path, headers,
         body, received_at)
       select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
           || substr(md5(n::text), 4, 15))::uuid,
         $1::uuid, $2::uuid, 'generic', 'old-' || n, 'new', 'POST', $3, '{"content-type": "application/json"}',
         convert_to(repeat('x', 450), 'utf8'), at
       from (select n, now() - (($4::int - n) * 0.2) * interval '1 second' as at from generate_series(1, $4::int) n) s
       returning id, received_at)
     insert into webhook_outcomes (webhook_id, call_log_id, processed_at, event_type)
     select id, gen_random_uuid(), received_at, 'call.ended' from stored`,
    [line?.path.split('/')[2], line?.accountId, line?.path, count],
  );
  await client.query('vacuum analyze inbound_webhooks, webhook_outcomes');
}
