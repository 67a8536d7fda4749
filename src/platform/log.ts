import { type DestinationStream, type Logger as PinoLogger, pino, stdSerializers, stdTimeFunctions } from 'pino';

export type Logger = PinoLogger;

/** Members that never reach the log, at the top of a line or one below. */
const SECRET_MEMBERS = ['password', 'token', 'access', 'refresh', 'secret', 'authorization', 'credentials', 'key'];

/** What is told of an error. PostgreSQL's `detail` and `where` hold whole rows, Redis's `command` whole messages. */
const TOLD_OF_ERRORS = new Set([
  ...['type', 'message', 'stack', 'aggregateErrors', 'kind', 'code', 'errno', 'syscall', 'address', 'port'],
  ...['severity', 'schema', 'table', 'column', 'constraint', 'routine'],
]);

type ErrorMembers = Readonly<Record<string, unknown>>;

function tellError(error: Error): unknown {
  const said: unknown = stdSerializers.err(error);
  return error instanceof Error ? toldOf(said as ErrorMembers) : said;
}

const toldOf = (said: ErrorMembers): ErrorMembers =>
  Object.fromEntries(
    Object.entries(said)
      .filter(([name]) => TOLD_OF_ERRORS.has(name))
      .map(([name, value]) => [name, Array.isArray(value) ? value.map(toldOf) : clipped(value)]),
  );

/** Of a text that is kept from both ends when it is longer than twice as much: Knex's have the whole statement. */
const KEPT = 4000;

const clipped = (value: unknown): unknown =>
  typeof value === 'string' && value.length > 2 * KEPT ? `${value.slice(0, KEPT)} … ${value.slice(-KEPT)}` : value;

/** JSON lines on stderr, so that stdout keeps the ready line and the generated login alone. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: tellError },
      redact: { paths: SECRET_MEMBERS.flatMap((name) => [name, `*.${name}`]), censor: '[secret]' },
    },
    destination ?? pino.destination({ fd: 2, sync: false }),
  );
}

/** Logs the first error of a kind at once and then at most one a minute with the count: an outage is told, not sung. */
export function throttledWarn(log: Logger, what: string, everyMs = 60_000): (error: unknown) => void {
  let quietUntil = 0;
  let unsaid = 0;
  return (error) => {
    const now = Date.now();
    if (now < quietUntil) {
      unsaid += 1;
      return;
    }
    log.warn({ err: error, unsaid }, what);
    quietUntil = now + everyMs;
    unsaid = 0;
  };
}
