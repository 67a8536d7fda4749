/**
 * Connections that died without a word (a host that vanished, a firewall that forgot them) would hold whoever asks on
 * them for ever: TCP alone takes a quarter of an hour and more. One on which nothing has come for a while is asked
 * about over a connection of its own: where the server still works on the statement it is left alone, however long
 * that takes; else it is destroyed, and its statement fails as with any other lost connection.
 *
 * On the server the other half of it, a transaction whose client is gone or stands still, is ended by
 * `idle_in_transaction_session_timeout`: its locks would hold up everybody else.
 */
import type { Knex } from 'knex';
import pg from 'pg';

/** Settings of every connection that runs transactions. */
export const TRANSACTION_SETTINGS = { idle_in_transaction_session_timeout: 10_000, connectionTimeoutMillis: 5000 };

/** Knex asks a new connection something before it hands it over, and until then nobody watches it. */
const CREATE_TIMEOUT_MS = 6000;
const LOOK_EVERY_MS = 1000;
/** Looks without a byte before the server is asked. Counted, not timed: a process that was paused hears late. */
const QUIET_LOOKS = 3;
/** Times that the server says it does not know of the statement: its answer may be on the way. */
const DENIALS = 2;
/** Probes without an answer: the server may be gone, or merely overloaded. */
const UNANSWERED = 2;
/** The same where nobody waits: a migration is worth a minute. */
const PATIENTLY_UNANSWERED = 20;
const PROBE_MS = 3000;

/** What pg keeps of a connection, of which its types tell less. */
interface Watched extends pg.ClientBase {
  readonly readyForQuery: boolean;
  /** Said goodbye, and waits for the server to hang up. */
  readonly _ending: boolean;
  readonly processID: number | null;
  readonly connection: {
    readonly stream: { readonly bytesRead: number; destroy(error?: Error): void };
  };
}

interface Silence {
  bytesRead: number;
  looks: number;
  denials: number;
  unanswered: number;
  /** Looks since it said goodbye. */
  goodbyes: number;
}

const UNDOUBTED = { looks: 0, denials: 0, unanswered: 0 };

type Quiet = readonly [Watched, Silence];

export interface SilenceWatch {
  /** Watches the connection until it ends. */
  add(client: pg.ClientBase): void;
}

export interface SilenceOptions {
  /** For work that nobody waits for, such as a migration: an overloaded server gets more time. */
  readonly isPatient?: boolean;
}

export function watchSilence(url: string, { isPatient = false }: SilenceOptions = {}): SilenceWatch {
  const mostUnanswered = isPatient ? PATIENTLY_UNANSWERED : UNANSWERED;
  const silences = new Map<Watched, Silence>();
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;

  async function look(): Promise<void> {
    for (const [client, silence] of silences) hangUp(client, silence);
    if (isLooking) return;
    isLooking = true;
    try {
      const quiet = [...silences].filter(([client, silence]) => isQuiet(client, silence));
      if (quiet.length === 0 || !(await findDead(url, quiet, mostUnanswered))) return;
      // What took one of them took its neighbours; whoever asked on those would wait as long, one after another.
      for (const client of silences.keys()) if (isIdle(client)) destroy(client);
    } finally {
      isLooking = false;
    }
  }

  function forget(client: Watched): void {
    silences.delete(client);
    if (silences.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return {
    add(client) {
      const watched = client as Watched;
      silences.set(watched, { bytesRead: 0, goodbyes: 0, ...UNDOUBTED });
      client.once('end', () => forget(watched));
      timer ??= setInterval(() => void look(), LOOK_EVERY_MS).unref();
    },
  };
}

/** Settings of a pool of Knex whose connections are given up where they fall silent. */
export function watchedPool(url: string, max: number, options: SilenceOptions = {}): Knex.PoolConfig {
  const silence = watchSilence(url, options);
  return {
    min: 0,
    max,
    createTimeoutMillis: CREATE_TIMEOUT_MS,
    afterCreate(client: pg.Client, done: (error: Error | null, client: pg.Client) => void) {
      silence.add(client);
      done(null, client);
    },
  };
}

/** Nobody needs the answer to a goodbye, and whoever closes waits for it. */
function hangUp(client: Watched, silence: Silence): void {
  if (!client._ending) return;
  silence.goodbyes += 1;
  if (silence.goodbyes > 1) client.connection.stream.destroy();
}

function isQuiet({ readyForQuery, connection }: Watched, silence: Silence): boolean {
  const { bytesRead } = connection.stream;
  if (readyForQuery || bytesRead !== silence.bytesRead) Object.assign(silence, { bytesRead, ...UNDOUBTED });
  else silence.looks += 1;
  return silence.looks >= QUIET_LOOKS;
}

const isIdle = (client: Watched): boolean => client.readyForQuery && client.getTransactionStatus() === 'I';

const destroy = ({ connection }: Watched): void =>
  connection.stream.destroy(new Error('The database connection fell silent.'));

/** Destroys those that are dead; answers whether there were any. */
async function findDead(url: string, quiet: readonly Quiet[], mostUnanswered: number): Promise<boolean> {
  const processIds = quiet.map(([{ processID }]) => processID ?? 0);
  const working = await workingOn(url, processIds);
  const dead = quiet.filter(([client, silence]) => {
    if (client.connection.stream.bytesRead !== silence.bytesRead) return false;
    if (working === null) silence.unanswered += 1;
    else if (working.has(client.processID ?? 0)) Object.assign(silence, { denials: 0, unanswered: 0 });
    else silence.denials += 1;
    return silence.denials >= DENIALS || silence.unanswered >= mostUnanswered;
  });
  for (const [client] of dead) destroy(client);
  return dead.length > 0;
}

/** Those of the server's processes that work on a statement now; null when the server does not answer. */
async function workingOn(url: string, processIds: readonly number[]): Promise<Set<number> | null> {
  const probe = new pg.Client({
    ...{ connectionString: url, application_name: 'switchboard probe' },
    ...{ connectionTimeoutMillis: PROBE_MS, query_timeout: PROBE_MS },
  });
  probe.on('error', () => undefined);
  try {
    await probe.connect();
    const { rows } = await probe.query<{ pid: number }>(
      `select pid from pg_stat_activity where pid = any($1::int[]) and state = 'active'`,
      [processIds],
    );
    return new Set(rows.map(({ pid }) => pid));
  } catch {
    return null;
  } finally {
    // Not waited for: the goodbye of a connection that does not answer has no end.
    probe.end().catch(() => undefined);
  }
}
