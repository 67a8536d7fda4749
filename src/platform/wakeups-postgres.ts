import pg from 'pg';
import { watchSilence } from './db/silent-connections.js';
import type { Carrier, Ears } from './wakeups-gather.js';

const CHANNEL = 'switchboard';
/** PostgreSQL refuses payloads of 8000 bytes and more. */
const MOST_BYTES = 7900;
const LOOK_AFTER_CONNECTION_MS = 5000;
const CONNECT_MS = 5000;

/**
 * One connection that listens and notifies. When it is lost it is made anew until that works, and the listeners are
 * told that they may have missed something. It does not wait for the disk: a hint is no record.
 */
export function openPostgresCarrier(url: string, ears: Ears, onError: (error: unknown) => void): Carrier {
  const silence = watchSilence(url);
  let client: pg.Client | undefined;
  let closing = false;
  let hadConnection = false;
  let attempt = 0;
  let retry: NodeJS.Timeout | undefined;
  let connecting = connect();
  // pg wants one query at a time.
  let asked: Promise<unknown> = Promise.resolve();

  async function connect(): Promise<void> {
    const made = new pg.Client({
      connectionString: url,
      application_name: 'switchboard wakeups',
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
    });
    made.on('notification', ({ payload }) => ears.heard(payload ?? ''));
    made.on('error', onError);
    made.once('end', () => lost(made));
    try {
      await made.connect();
      silence.add(made);
      await made.query(`set synchronous_commit = off; listen ${CHANNEL}`);
    } catch (error) {
      onError(error);
      await made.end().catch(() => undefined);
      lost(made);
      return;
    }
    if (closing) {
      await made.end();
      return;
    }
    client = made;
    attempt = 0;
    if (hadConnection) ears.missed();
    hadConnection = true;
  }

  function lost(made: pg.Client): void {
    if (client === made) client = undefined;
    if (closing || client !== undefined || retry !== undefined) return;
    const wait = Math.min(100 * 2 ** attempt, CONNECT_MS);
    attempt += 1;
    retry = setTimeout(() => {
      retry = undefined;
      connecting = connect();
    }, wait);
  }

  // A connection that only listens would not learn that it died without a word: asked something, it does.
  const watch = setInterval(() => void ask('select 1', []).catch(() => undefined), LOOK_AFTER_CONNECTION_MS);
  watch.unref();

  function ask(text: string, values: readonly string[]): Promise<unknown> {
    const answer = asked.then(() => client?.query(text, [...values]));
    asked = answer.catch(() => undefined);
    return answer;
  }

  return {
    mostBytes: MOST_BYTES,
    async send(message) {
      await connecting;
      await ask('select pg_notify($1, $2)', [CHANNEL, message]);
    },
    async close() {
      closing = true;
      clearInterval(watch);
      clearTimeout(retry);
      await connecting;
      await asked;
      await client?.end();
    },
  };
}
