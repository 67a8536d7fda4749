/** What can be said on the command line. */
import { parseArgs } from 'node:util';
import { isTimeZone } from '../lib/time-zone.js';

export interface Options {
  readonly calls: number;
  readonly account: string;
  readonly days: number;
  readonly numbers: number;
  readonly users: number;
  readonly timeZone: string;
  readonly seed: string;
}

/** Said to who asked, without a stack. */
export class DemoError extends Error {}

const OPTIONS = {
  calls: { type: 'string', default: '10000' },
  account: { type: 'string', default: 'Demo' },
  days: { type: 'string', default: '365' },
  numbers: { type: 'string', default: '12' },
  users: { type: 'string', default: '6' },
  timezone: { type: 'string', default: 'Europe/Berlin' },
  seed: { type: 'string', default: 'demo' },
  help: { type: 'boolean', default: false },
} as const;

export const HELP = `Usage: npm run seed:demo -- [options]

Fills an account with a believable past: calls by weekday and hour, callers who come again, missed calls where it was
busy, several numbers, users and carriers, tags and notes. Beside a running switchboard, or on its database alone.

  --calls <n>        How many calls. Default: 10000.
  --account <name>   The account; a new one with a login that is shown where there is none of the name. Default: Demo.
  --days <n>         How far back they go. Default: 365.
  --numbers <n>      Virtual numbers that the account is to have. Default: 12.
  --users <n>        Users besides the first, whose numbers they are. Default: 6.
  --timezone <name>  Whose working hours they keep. Default: Europe/Berlin.
  --seed <text>      The same seed makes the same calls at the same moment. Default: demo.

DATABASE_URL, DATA_DIR and the other settings are those of the switchboard.`;

/** Null: help was asked for. @throws DemoError */
export function readOptions(args: readonly string[]): Options | null {
  const { values } = parse(args);
  if (values.help) return null;
  const whole = (name: 'calls' | 'days' | 'numbers' | 'users', least: number, most: number): number => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new DemoError(`--${name} must be a whole number from ${least} to ${most}.`);
  };
  if (!isTimeZone(values.timezone)) throw new DemoError('--timezone must be an IANA name such as Europe/Berlin.');
  if (values.account.trim() === '') throw new DemoError('--account must be a name.');
  return {
    calls: whole('calls', 1, 20_000_000),
    days: whole('days', 1, 3650),
    numbers: whole('numbers', 1, 500),
    users: whole('users', 0, 200),
    account: values.account.trim(),
    timeZone: values.timezone,
    seed: values.seed,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: false });
  } catch (error) {
    throw new DemoError(`${(error as Error).message}\n\n${HELP}`);
  }
}
