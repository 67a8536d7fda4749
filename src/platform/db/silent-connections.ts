/**
 * Connections that died without a word (a host that vanished, a firewall that forgot them) would hold whoever asks on
 * them for ever: TCP alone takes a quarter of an hour and more. One on which nothing has come for a while is asked
 * about over a connection of its own: where the server still works on the statement it is left alone, however long
 * that takes; else it is destroyed, and its statement fails as with any other lost connection.
 *
 * On the server the other half of it, a transaction whose client is gone or stands still, is ended by
 * `idle_in_transaction_session_timeout`: its locks would hold up everybody else.
 */
import pg from 'pg';

/** Settings of every connection that runs transactions. */
export const TRANSACTION_SETTINGS = { idle_in_transaction_session_timeout: 10_000, connectionTimeoutMillis: 5000 };

const LOOK_EVERY_MS = 1000;
/** Looks without a byte before the server is asked. Counted, not timed: a process that was paused hears late. */
const QUIET_LOOKS = 3;
/** Times in a row that the server must not know of the statement: its answer may be on the way. */
const PROOFS = 2;
const PROBE_MS = 3000;

/** What pg keeps of a connection, of which its types tell less. */
interface Watched extends pg.ClientBase {
  readonly readyForQuery: boolean;
  readonly processID: number | null;
  readonly connection: {
    readonly stream: { readonly bytesRead: number; destroy(error: Error): void };
  };
}

interface Silence {
  bytesRead: number;
  looks: number;
  proofs: number;
}

export interface SilenceWatch {
  /** Watches the connection until it ends. */
  add(client: pg.ClientBase): void;
}

export function watchSilence(url: string): SilenceWatch {
  const silences = new Map<Watched, Silence>();
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;

  async function look(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    try {
      const quiet = [...silences].filter(([client, silence]) => isQuiet(client, silence));
      if (quiet.length === 0 || !(await findDead(url, quiet))) return;
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
      silences.set(watched, { bytesRead: 0, looks: 0, proofs: 0 });
      client.once('end', () => forget(watched));
      timer ??= setInterval(() => void look(), LOOK_EVERY_MS).unref();
    },
  };
}

/** For a pool of Knex: its connections are given up where they fall silent. */
export function watched(url: string) {
  const silence = watchSilence(url);
  return (client: pg.Client, done: (error: Error | null, client: pg.Client) => void): void => {
    silence.add(client);
    done(null, client);
  };
}

function isQuiet({ readyForQuery, connection }: Watched, silence: Silence): boolean {
  const { bytesRead } = connection.stream;
  if (readyForQuery || bytesRead !== silence.bytesRead) Object.assign(silence, { bytesRead, looks: 0, proofs: 0 });
  else silence.looks += 1;
  return silence.looks >= QUIET_LOOKS;
}

const isIdle = (client: Watched): boolean => client.readyForQuery && client.getTransactionStatus() === 'I';

const destroy = ({ connection }: Watched): void =>
  connection.stream.destroy(new Error('The database connection fell silent.'));

/** Destroys those that are dead; answers whether there were any. */
async function findDead(url: string, quiet: readonly (readonly [Watched, Silence])[]): Promise<boolean> {
  const processIds = quiet.map(([{ processID }]) => processID ?? 0);
  const working = await workingOn(url, processIds);
  const dead = quiet.filter(([client, silence]) => {
    if (client.connection.stream.bytesRead !== silence.bytesRead) return false;
    if (client.processID !== null && working.has(client.processID)) return false;
    silence.proofs += 1;
    return silence.proofs >= PROOFS;
  });
  for (const [client] of dead) destroy(client);
  return dead.length > 0;
}

/** Those of the server's processes that work on a statement now; none when the server does not answer at all. */
async function workingOn(url: string, processIds: readonly number[]): Promise<Set<number>> {
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
    return new Set();
  } finally {
    // Not waited for: the goodbye of a connection that does not answer has no end.
    probe.end().catch(() => undefined);
  }
}
