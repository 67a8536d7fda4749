/** What can be said on the command line. */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { sentence } from './failure.js';
import { findSender, SENDERS } from './senders/senders.js';
import { MIX_NAMES, type Mix, USUAL_MIX } from './stories.js';

interface Option {
  readonly name: string;
  readonly type: 'string' | 'boolean';
  /** The name of its value in the help. */
  readonly value?: string;
  readonly about: string;
}

const OPTIONS: readonly Option[] = [
  {
    name: 'url',
    type: 'string',
    value: 'address',
    about: 'Where the switchboard runs. Default: http://127.0.0.1 and PORT (3000).',
  },
  { name: 'calls', type: 'string', value: 'n', about: 'How many calls to play. Default: 100.' },
  {
    name: 'rate',
    type: 'string',
    value: 'n',
    about: 'Webhooks a second; 0: as fast as they are answered. Default: 50.',
  },
  {
    name: 'provider',
    type: 'string',
    value: 'names',
    about: `Whose webhooks: a comma list of ${SENDERS.map(({ provider }) => provider).join(', ')}; or all. Default: twilio.`,
  },
  {
    name: 'mix',
    type: 'string',
    value: 'weights',
    about: `How often calls go which way: a comma list such as answered=80,missed=20 (what is not named is 0) of ${MIX_NAMES.slice(0, -2).join(', ')}; inbound=, outbound= weigh the direction (forwarded ones come in).`,
  },
  { name: 'duplicate', type: 'string', value: 'percent', about: 'Webhooks that are sent twice. Default: 0.' },
  {
    name: 'reorder',
    type: 'string',
    value: 'percent',
    about: 'Webhooks that are held back behind later ones. Default: 0.',
  },
  { name: 'lose', type: 'string', value: 'percent', about: 'Webhooks that are never sent. Default: 0.' },
  {
    name: 'seed',
    type: 'string',
    value: 'text',
    about: 'The same seed plays the same calls in the same order. Default: another one each time, which is shown.',
  },
  {
    name: 'verify',
    type: 'boolean',
    about: 'Afterwards compare the call logs and events with what was answered by 2xx; exit code 1 on any difference.',
  },
  {
    name: 'cuts',
    type: 'string',
    value: 'n',
    about:
      'With --verify: follow the live channel meanwhile over a socket that is cut n times at random and resumes by its cursor; each event must have come once and in order. Default: it is not followed.',
  },
  {
    name: 'out',
    type: 'string',
    value: 'file',
    about: 'Write what is sent and answered to a file, one JSON object a line.',
  },
  {
    name: 'verify-only',
    type: 'string',
    value: 'file',
    about: 'Send nothing: verify the run that --out has written to the file.',
  },
  {
    name: 'numbers',
    type: 'string',
    value: 'n',
    about: 'How many virtual numbers the run adds (+999…, its own ones). Default: 10.',
  },
  {
    name: 'account',
    type: 'string',
    value: 'name',
    about:
      'Play in a new account of this name (needs an operator) and show its login. Default: the account of whoever signs in.',
  },
  {
    name: 'username',
    type: 'string',
    value: 'name',
    about: 'Login of an admin; with --password. Default: ADMIN_USERNAME, ADMIN_PASSWORD.',
  },
  { name: 'password', type: 'string', value: 'text', about: 'See --username.' },
  { name: 'concurrency', type: 'string', value: 'n', about: 'Webhooks under way at one time, at most. Default: 64.' },
  {
    name: 'give-up-after',
    type: 'string',
    value: 'seconds',
    about: 'How long one webhook, or a question, is tried again. Default: 120.',
  },
  {
    name: 'tolerance',
    type: 'string',
    value: 'ms',
    about: 'How far the clocks of both machines may be apart. Default: 250.',
  },
  { name: 'help', type: 'boolean', about: 'Show this.' },
];

export interface Options {
  readonly url: string | null;
  readonly calls: number;
  readonly rate: number;
  readonly providers: readonly [string, ...string[]];
  readonly mix: Mix;
  readonly duplicate: number;
  readonly reorder: number;
  readonly lose: number;
  readonly seed: string;
  readonly verify: boolean;
  /** Of the live socket that follows the run; null: none does. */
  readonly cuts: number | null;
  readonly out: string | null;
  readonly verifyOnly: string | null;
  readonly numbers: number;
  readonly account: string | null;
  readonly login: { readonly username: string; readonly password: string } | null;
  readonly concurrency: number;
  /** Milliseconds. */
  readonly giveUpAfter: number;
  /** Milliseconds. */
  readonly tolerance: number;
}

/** Null: the help is wanted. */
export function readOptions(args: readonly string[]): Options | null {
  const values = parse(args);
  if (values.help === true) return null;
  if (values.cuts !== undefined && values.verify !== true) throw sentence('--cuts goes with --verify.');
  const text = (name: string): string | null => (typeof values[name] === 'string' ? values[name] : null);
  const number = (name: string, fallback: number, bounds: readonly [number, number]): number =>
    readNumber(name, text(name), { fallback, bounds });
  const percent = (name: string): number => number(name, 0, [0, 100]);
  return {
    url: readUrl(text('url')),
    calls: whole('calls', number('calls', 100, [1, 1_000_000])),
    rate: number('rate', 50, [0, 100_000]),
    providers: readProviders(text('provider') ?? 'twilio'),
    mix: readMix(text('mix')),
    ...{ duplicate: percent('duplicate'), reorder: percent('reorder'), lose: percent('lose') },
    seed: text('seed') ?? randomBytes(4).toString('hex'),
    verify: values.verify === true,
    cuts: text('cuts') === null ? null : whole('cuts', number('cuts', 0, [0, 10_000])),
    ...{ out: text('out'), verifyOnly: text('verify-only'), account: text('account') },
    numbers: whole('numbers', number('numbers', 10, [1, 10_000])),
    login: readLogin(text('username'), text('password')),
    concurrency: whole('concurrency', number('concurrency', 64, [1, 2000])),
    giveUpAfter: number('give-up-after', 120, [0, 86_400]) * 1000,
    tolerance: number('tolerance', 250, [0, 3_600_000]),
  };
}

function parse(args: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  const options = Object.fromEntries(OPTIONS.map(({ name, type }) => [name, { type }]));
  try {
    return parseArgs({ args: [...args], options, strict: true }).values as Record<string, string | boolean>;
  } catch (error) {
    throw sentence(`${(error as Error).message} See --help.`);
  }
}

interface NumberRule {
  readonly fallback: number;
  readonly bounds: readonly [least: number, most: number];
}

function readNumber(name: string, text: string | null, { fallback, bounds: [least, most] }: NumberRule): number {
  if (text === null) return fallback;
  const value = text.trim() === '' ? Number.NaN : Number(text.replace(/%$/, ''));
  if (value >= least && value <= most) return value;
  throw sentence(`--${name} must be a number from ${least} to ${most}, not "${text}".`);
}

function whole(name: string, value: number): number {
  if (Number.isInteger(value)) return value;
  throw sentence(`--${name} must be a whole number, not ${value}.`);
}

function readUrl(text: string | null): string | null {
  if (text === null) return null;
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return text.replace(/\/+$/, '');
  throw sentence(`--url must be an address such as http://127.0.0.1:3000, not "${text}".`);
}

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

function readProviders(text: string): [string, ...string[]] {
  const names = text === 'all' ? SENDERS.map(({ provider }) => provider) : [...new Set(listOf(text))];
  const unknown = names.find((name) => !findSender(name));
  if (unknown !== undefined || names.length === 0) {
    throw sentence(
      `--provider: nobody here plays "${unknown ?? text}"; there are ${SENDERS.map(({ provider }) => provider).join(', ')} and all.`,
    );
  }
  return names as [string, ...string[]];
}

function readMix(text: string | null): Mix {
  if (text === null) return USUAL_MIX;
  const given = Object.fromEntries(listOf(text).map((part) => readWeight(part)));
  const { inbound, outbound, ...kinds } = given;
  const none = Object.fromEntries(MIX_NAMES.map((name) => [name, 0])) as Mix;
  const hasDirection = (inbound ?? 0) + (outbound ?? 0) > 0;
  const hasKind = Object.values(kinds).some((weight) => weight > 0);
  const direction = hasDirection
    ? { inbound: inbound ?? 0, outbound: outbound ?? 0 }
    : { inbound: USUAL_MIX.inbound, outbound: USUAL_MIX.outbound };
  return hasKind ? { ...none, ...kinds, ...direction } : { ...USUAL_MIX, ...direction };
}

function readWeight(part: string): [string, number] {
  const [name = '', weight = ''] = part.split('=').map((piece) => piece.trim());
  if ((MIX_NAMES as readonly string[]).includes(name) && /^\d+(\.\d+)?$/.test(weight)) return [name, Number(weight)];
  throw sentence(`--mix: "${part}" is not one of ${MIX_NAMES.join(', ')} with a weight, such as answered=60.`);
}

function readLogin(username: string | null, password: string | null): Options['login'] {
  if (username !== null && password !== null) return { username, password };
  if (username === null && password === null) return null;
  throw sentence('--username and --password go together.');
}

const WIDTH = 100;
const INDENT = 28;

export function helpText(): string {
  const lines = OPTIONS.flatMap(({ name, value, about }) => {
    const [first = '', ...rest] = wrap(about, WIDTH - INDENT);
    const head = `  --${name}${value === undefined ? '' : ` <${value}>`}`.padEnd(INDENT - 1);
    return [`${head} ${first}`, ...rest.map((line) => ' '.repeat(INDENT) + line)];
  });
  return [
    'Plays carriers: signed webhooks of realistic calls against a running switchboard.',
    '',
    'Usage: npm run simulate -- [options]',
    '',
    ...lines,
    '',
    'Beside a switchboard on this machine no login is needed: the simulator reads its data folder (DATA_DIR).',
    'Exit code: 0, 1 when a webhook was not answered or a call log is wrong, 2 when it could not begin.',
  ].join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
