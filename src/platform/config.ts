import Joi from 'joi';
import { address, onOff, origins, plainUrl, seconds, secretText } from './setting-schemas.js';

/** The roles that a process may play; one process may play any of them together. */
export const ROLES = ['api', 'live', 'worker'] as const;
export type Role = (typeof ROLES)[number];

const roleList = Joi.string().custom((value: string, helpers) => {
  const given = value.split(',').map((part) => part.trim());
  const known = given.every((role) => (ROLES as readonly string[]).includes(role));
  return known && given.length > 0 ? value : helpers.error('any.custom');
}, 'roles');

interface Setting {
  readonly name: string;
  readonly schema: Joi.Schema;
  readonly about: string;
}

/**
 * Every setting, once: its name in the environment, what it may be (with its default), and what it does. The table in
 * `docs/settings.md` is generated from here, and a test compares the two.
 */
export const SETTINGS: readonly Setting[] = [
  {
    name: 'PORT',
    schema: Joi.number().integer().min(0).max(65_535).default(3000),
    about: 'Port to listen on; 0 picks a free one.',
  },
  { name: 'HOST', schema: Joi.string().hostname().default('127.0.0.1'), about: 'Address to listen on.' },
  {
    name: 'PUBLIC_URL',
    schema: plainUrl,
    about: 'What carriers call; signatures are checked over it. Default: `http://127.0.0.1:<real port>`.',
  },
  {
    name: 'DATABASE_URL',
    schema: address('postgres', 'postgresql'),
    about: 'PostgreSQL to use; unset: an embedded one under `DATA_DIR`.',
  },
  {
    name: 'REDIS_URL',
    schema: address('redis', 'rediss').pattern(
      /^\w+:\/\/[^/?#]*(\/\d*)?([?#].*)?$/,
      'address whose path is the number of a database',
    ),
    about: 'Redis for the queue, the rate limits and the wake-ups; unset: they run on PostgreSQL.',
  },
  {
    name: 'DATA_DIR',
    schema: Joi.string().default('./.data'),
    about: 'Folder of the embedded database and the made secrets.',
  },
  {
    name: 'ROLES',
    schema: roleList.default('api,live,worker'),
    about: 'Which roles this process plays: any of `api`, `live`, `worker`.',
  },
  {
    name: 'JWT_SECRET',
    schema: secretText,
    about: 'Key of the tokens, 32 or more characters; unset: made once and kept in `DATA_DIR`.',
  },
  {
    name: 'ENCRYPTION_KEY',
    schema: secretText,
    about: 'Key of the stored carrier credentials, 32 or more characters; unset: made once and kept in `DATA_DIR`.',
  },
  {
    name: 'ENCRYPTION_KEY_PREVIOUS',
    schema: secretText,
    about: 'The key before the present one, still read while credentials are encrypted anew.',
  },
  { name: 'ACCESS_TOKEN_TTL', schema: seconds(1).default(300), about: 'Life of an access token, in seconds.' },
  { name: 'REFRESH_TOKEN_TTL', schema: seconds(1).default(86_400), about: 'Life of a refresh token, in seconds.' },
  {
    name: 'REFRESH_REUSE_WINDOW',
    schema: seconds(0).default(10),
    about: 'Seconds after a refresh in which that of another tab counts as one with it.',
  },
  {
    name: 'ADMIN_USERNAME',
    schema: Joi.string().trim().min(1).max(150),
    about: 'User name of the first operator; with `ADMIN_PASSWORD`.',
  },
  {
    name: 'ADMIN_PASSWORD',
    schema: Joi.string().min(8).max(1024),
    about: 'Password of the first operator, 8 or more characters.',
  },
  {
    name: 'SIGNUP',
    schema: Joi.string().valid('closed', 'open').default('closed'),
    about: '`open`: anyone may make an account.',
  },
  {
    name: 'TRUST_PROXY',
    schema: onOff.default('off'),
    about: '`on`: the client address is taken from `X-Forwarded-For`.',
  },
  { name: 'CORS_ORIGINS', schema: origins, about: 'Comma list of the origins that browsers may call from, or `*`.' },
  {
    name: 'LOG_LEVEL',
    schema: Joi.string().valid('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent').default('info'),
    about: 'Least level that is logged.',
  },
  { name: 'RATE_LIMITS', schema: onOff.default('on'), about: '`off`: no rate limits at all, logins included.' },
  {
    name: 'LOST_CALL_AFTER',
    schema: seconds(1).default(14_400),
    about: 'Seconds without news after which a call without an end is closed as lost.',
  },
  {
    name: 'EVENT_RETENTION',
    schema: seconds(1).default(604_800),
    about: 'Seconds for which events can be read again.',
  },
  {
    name: 'WEBHOOK_RETENTION',
    schema: seconds(60).default(2_592_000),
    about: 'Seconds for which processed and ignored webhooks are kept.',
  },
  {
    name: 'MAX_BACKLOG',
    schema: Joi.number().integer().min(1).default(200_000),
    about: 'Webhooks that may wait for a worker before new ones are answered 503.',
  },
  {
    name: 'NUMBER_QUARANTINE',
    schema: seconds(0).default(0),
    about: 'Seconds after a release in which only the last holder may claim the number.',
  },
  {
    name: 'NUMBER_CLAIMS',
    schema: Joi.string().valid('open', 'operator').default('open'),
    about: 'Who may add numbers that nobody held.',
  },
  {
    name: 'DATABASE_POOL',
    schema: Joi.number().integer().min(4).max(500).default(16),
    about: 'Connections of this process to PostgreSQL, without those of the queue.',
  },
  {
    name: 'LIVE_CONNECTIONS_PER_USER',
    schema: Joi.number().integer().min(1).default(1000),
    about: 'Open live connections of one user or key on one process.',
  },
  {
    name: 'LIVE_CONNECTIONS_PER_ADDRESS',
    schema: Joi.number().integer().min(1).default(5000),
    about: 'Open live connections from one address on one process.',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    schema: Joi.string().uri({ scheme: ['http', 'https'] }),
    about: 'Where OpenTelemetry traces go; unset: none are made.',
  },
  {
    name: 'NODE_ENV',
    schema: Joi.string().valid('production', 'development', 'test'),
    about: '`production` with an outside database: the two secrets must be given.',
  },
];

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly publicUrl: string | null;
  readonly databaseUrl: string | null;
  readonly redisUrl: string | null;
  readonly dataDir: string;
  readonly roles: readonly Role[];
  readonly jwtSecret: string | null;
  readonly encryptionKey: string | null;
  readonly encryptionKeyPrevious: string | null;
  readonly accessTokenTtl: number;
  readonly refreshTokenTtl: number;
  readonly refreshReuseWindow: number;
  readonly adminUsername: string | null;
  readonly adminPassword: string | null;
  readonly signupOpen: boolean;
  readonly trustProxy: boolean;
  readonly corsOrigins: readonly string[];
  readonly logLevel: string;
  readonly rateLimits: boolean;
  readonly lostCallAfter: number;
  readonly eventRetention: number;
  readonly webhookRetention: number;
  readonly maxBacklog: number;
  readonly numberQuarantine: number;
  readonly numberClaims: 'open' | 'operator';
  readonly databasePool: number;
  readonly liveConnectionsPerUser: number;
  readonly liveConnectionsPerAddress: number;
  readonly otlpEndpoint: string | null;
}

/** A setting that is wrong; `message` is the one sentence that the process prints before it stops. */
export class ConfigError extends Error {}

const environmentSchema = Joi.object(
  Object.fromEntries(SETTINGS.map(({ name, schema }) => [name, schema.label(name)])),
);

type Checked = Record<string, string | number | undefined>;

function check(environment: Readonly<Record<string, string | undefined>>): Checked {
  const given: Record<string, string> = {};
  for (const { name } of SETTINGS) {
    const value = environment[name];
    // An empty value is a setting that is not set: shells and compose files cannot say it otherwise.
    if (value !== undefined && value !== '') given[name] = value;
  }
  const { value, error } = environmentSchema.validate(given, { errors: { wrap: { label: false } } });
  if (error) throw new ConfigError(`The setting ${sentenceOf(error)}.`);
  return value as Checked;
}

function sentenceOf(error: Joi.ValidationError): string {
  const [first] = error.details;
  const name = String(first?.path[0] ?? '');
  const about = SETTINGS.find((setting) => setting.name === name)?.about ?? '';
  const message = first?.type === 'any.custom' ? `${name} is not understood` : (first?.message ?? error.message);
  return `${message} (${about.replace(/\.$/, '')})`;
}

const text = (value: string | number | undefined): string | null => (value === undefined ? null : String(value));
const list = (value: string | number | undefined): string[] =>
  value === undefined
    ? []
    : String(value)
        .split(',')
        .map((part) => part.trim());

/** Reads and checks the settings. @throws ConfigError with one sentence that names what is wrong. */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const checked = check(environment);
  const config: Config = {
    port: Number(checked.PORT),
    host: String(checked.HOST),
    publicUrl: text(checked.PUBLIC_URL)?.replace(/\/+$/, '') ?? null,
    databaseUrl: text(checked.DATABASE_URL),
    redisUrl: text(checked.REDIS_URL),
    dataDir: String(checked.DATA_DIR),
    roles: [...new Set(list(checked.ROLES))] as Role[],
    jwtSecret: text(checked.JWT_SECRET),
    encryptionKey: text(checked.ENCRYPTION_KEY),
    encryptionKeyPrevious: text(checked.ENCRYPTION_KEY_PREVIOUS),
    accessTokenTtl: Number(checked.ACCESS_TOKEN_TTL),
    refreshTokenTtl: Number(checked.REFRESH_TOKEN_TTL),
    refreshReuseWindow: Number(checked.REFRESH_REUSE_WINDOW),
    adminUsername: text(checked.ADMIN_USERNAME),
    adminPassword: text(checked.ADMIN_PASSWORD),
    signupOpen: checked.SIGNUP === 'open',
    trustProxy: checked.TRUST_PROXY === 'on',
    corsOrigins: list(checked.CORS_ORIGINS),
    logLevel: String(checked.LOG_LEVEL),
    rateLimits: checked.RATE_LIMITS === 'on',
    lostCallAfter: Number(checked.LOST_CALL_AFTER),
    eventRetention: Number(checked.EVENT_RETENTION),
    webhookRetention: Number(checked.WEBHOOK_RETENTION),
    maxBacklog: Number(checked.MAX_BACKLOG),
    numberQuarantine: Number(checked.NUMBER_QUARANTINE),
    numberClaims: checked.NUMBER_CLAIMS as Config['numberClaims'],
    databasePool: Number(checked.DATABASE_POOL),
    liveConnectionsPerUser: Number(checked.LIVE_CONNECTIONS_PER_USER),
    liveConnectionsPerAddress: Number(checked.LIVE_CONNECTIONS_PER_ADDRESS),
    otlpEndpoint: text(checked.OTEL_EXPORTER_OTLP_ENDPOINT),
  };
  checkTogether(config, checked.NODE_ENV === 'production');
  return Object.freeze(config);
}

function checkTogether(config: Config, production: boolean): void {
  if ((config.adminUsername === null) !== (config.adminPassword === null)) {
    const missing = config.adminUsername === null ? 'ADMIN_USERNAME' : 'ADMIN_PASSWORD';
    throw new ConfigError(`The setting ${missing} is missing: the first operator needs both a name and a password.`);
  }
  if (!production || config.databaseUrl === null) return;
  for (const [name, value] of [
    ['JWT_SECRET', config.jwtSecret],
    ['ENCRYPTION_KEY', config.encryptionKey],
  ] as const) {
    if (value === null)
      throw new ConfigError(`The setting ${name} must be given in production with an outside database.`);
  }
}
