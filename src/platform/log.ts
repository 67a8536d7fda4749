import { type DestinationStream, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';

export type Logger = PinoLogger;

/** Members that never reach the log, wherever they stand. */
const SECRET_MEMBERS = ['password', 'token', 'access', 'refresh', 'secret', 'authorization', 'credentials', 'key'];

/** JSON lines on stderr, so that stdout keeps the ready line and the generated login alone. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_MEMBERS.flatMap((name) => [name, `*.${name}`]), censor: '[secret]' },
    },
    destination ?? pino.destination({ fd: 2, sync: false }),
  );
}

/** A phone number as the log may show it: country and the last two digits. */
export const maskNumber = (number: string): string =>
  number.length < 6 ? '…' : `${number.slice(0, 3)}…${number.slice(-2)}`;

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
