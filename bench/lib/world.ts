import type pg from 'pg';
import { newId } from '../../src/lib/ids.js';
import { createSecretBox } from '../../src/platform/secret-box.js';
import { SECRET_TEXT } from './installation.js';

/** A carrier's line with the numbers that are called over it: what the traffic is made for. */
export interface Line {
  readonly accountId: string;
  readonly path: string;
  readonly numbers: readonly string[];
}

export const WEBHOOK_SECRET = `whsec_${Buffer.alloc(24, 3).toString('base64')}`;

export interface WorldOptions {
  readonly accounts: number;
  readonly numbersEach: number;
}

/** Accounts, each with a generic carrier and numbers, written by SQL: through the doors a thousand would take minutes. */
export async function makeLines(client: pg.Client, { accounts, numbersEach }: WorldOptions): Promise<Line[]> {
  const box = createSecretBox(SECRET_TEXT, null);
  const rows = Array.from({ length: accounts }, (_, account) => {
    const carrier = newId();
    return {
      account: newId(),
      carrier,
      credentials: box.seal(JSON.stringify({ secret: [WEBHOOK_SECRET] }), `carriers.credentials:${carrier}`),
      numbers: Array.from({ length: numbersEach }, (_, place) => ({
        id: newId(),
        holding: newId(),
        number: `+1999${String(account * numbersEach + place).padStart(7, '0')}`,
      })),
    };
  });
  const json = JSON.stringify(rows);
  const of = (text: string) =>
    client.query(
      `with w as (select * from jsonb_to_recordset($1::jsonb)
    as r (account uuid, carrier uuid, credentials text, numbers jsonb)) ${text}`,
      [json],
    );
  const numbered = `from w, jsonb_to_recordset(w.numbers) as n (id uuid, holding uuid, number text)`;
  await of(`insert into accounts (id, name, created_at, updated_at) select account, 'bench', now(), now() from w`);
  await of('insert into account_counters (account_id) select account from w');
  await of(`insert into carriers (id, account_id, provider, name, credentials, credential_names, created_at, updated_at)
    select carrier, account, 'generic', 'bench', credentials, '{secret}', now(), now() from w`);
  await of(`insert into virtual_numbers (id, account_id, phone_number, is_active, created_at, updated_at)
    select n.id, w.account, n.number, true, now() - interval '1 year', now() ${numbered}`);
  await of(`insert into number_holdings (id, phone_number, virtual_number_id, account_id, held_from)
    select n.holding, n.number, n.id, w.account, now() - interval '1 year' ${numbered}`);
  await client.query('analyze accounts, carriers, virtual_numbers, number_holdings');
  return rows.map(({ account, carrier, numbers }) => ({
    accountId: account,
    path: `/webhooks/${carrier}/`,
    numbers: numbers.map(({ number }) => number),
  }));
}
