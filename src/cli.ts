import { randomBytes } from 'node:crypto';
import { IMPORT_USAGE, readImportCommand, runImport } from './cli/import-webhooks.js';
import { REBUILD_USAGE, readRebuildCommand, runRebuild } from './cli/rebuild-calls.js';
import { newAccount } from './features/accounts/index.js';
import { validateBody } from './http/validate.js';
import { AppError } from './lib/errors.js';
import { type Config, readConfig } from './platform/config.js';
import { backUpEmbedded } from './platform/db/embedded-backup.js';
import { findDatabase } from './platform/db/find-database.js';
import { migrateToLatest } from './platform/db/migrate.js';
import { createCloser } from './platform/lifecycle.js';
import { createLogger } from './platform/log.js';
import { settingsTable } from './platform/settings-table.js';
import { explainStartFailure } from './start-failure.js';
import { type System, wire } from './wire.js';

interface Command {
  readonly name: string;
  /** What stands behind the name: `<username>`. */
  readonly takes: string;
  readonly about: string;
  /** Name and arguments at length, of a command with options; it reads them itself. */
  readonly usage?: string;
  run(args: readonly string[]): Promise<void> | void;
}

class UsageError extends Error {}

/** Every command of `switchboard`; those that need the product get it from `withSystem`. */
const COMMANDS: readonly Command[] = [
  {
    name: 'migrate',
    takes: '',
    about: 'Brings the database up to this version, and makes what it needs.',
    run: () => withDatabase(async () => console.log('The database is up to date.')),
  },
  {
    name: 'create-operator',
    takes: '<username>',
    about: 'Makes an operator in an account of their own and prints the password, once.',
    run: ([username]) => {
      if (!username) throw new UsageError('create-operator needs a user name.');
      return withSystem((system) => createOperator(system, username));
    },
  },
  {
    name: 'rebuild-calls',
    takes: '[--dry-run] …',
    about: 'Makes call logs anew from the kept webhooks, after an adapter was corrected.',
    usage: REBUILD_USAGE,
    run: (args) => {
      const wish = usable(REBUILD_USAGE, () => readRebuildCommand(args));
      return withSystem(({ features }) => runRebuild(features.ingestion, wish, console.log));
    },
  },
  {
    name: 'import-webhooks',
    takes: '--carrier <id> <files…>',
    about: 'Takes webhooks that a provider left behind in files.',
    usage: IMPORT_USAGE,
    run: (args) => {
      const command = usable(IMPORT_USAGE, () => readImportCommand(args));
      return withSystem(({ features }) => runImport(features.ingestion, command, console.log));
    },
  },
  {
    name: 'rotate-keys',
    takes: '',
    about: 'Seals every stored secret anew that ENCRYPTION_KEY_PREVIOUS sealed.',
    run: () => withSystem(rotateKeys),
  },
  {
    name: 'prune-audit-log',
    takes: '<days>',
    about: 'Deletes the entries of the audit log that are older; nothing else does.',
    run: ([days]) => {
      if (!/^[1-9]\d{0,5}$/.test(days ?? '')) throw new UsageError('prune-audit-log needs a number of days.');
      return withSystem((system) => pruneAuditLog(system, Number(days)));
    },
  },
  {
    name: 'backup',
    takes: '<folder>',
    about: 'Copies DATA_DIR with its embedded database, which may run meanwhile.',
    run: ([folder]) => {
      if (!folder) throw new UsageError('backup needs a folder to copy to.');
      return backUp(folder);
    },
  },
  {
    name: 'after-restore',
    takes: '',
    about: 'Once after a restore, before the first start: no event gets a number that a client has seen.',
    run: () =>
      withSystem(async ({ features }) => {
        const accounts = await features.events.afterRestore();
        console.log(`The event logs of ${accounts} accounts go on 1,000,000 further.`);
      }),
  },
  {
    name: 'settings-table',
    takes: '',
    about: 'Prints docs/settings.md.',
    run: () => void process.stdout.write(settingsTable()),
  },
  {
    name: 'openapi',
    takes: '',
    about: 'Prints the OpenAPI document.',
    run: () => withSystem((system) => console.log(JSON.stringify(system.describe(), null, 2))),
  },
];

/** The sentence of what is wrong with the arguments, with what they should be. */
function usable<T>(usage: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\nUsage: switchboard ${usage}`);
  }
}

async function createOperator({ features }: System, username: string): Promise<void> {
  const password = randomBytes(15).toString('base64url');
  const owner = { username, password, role: 'operator' as const, isActive: true, contactNumber: null };
  // As through the API: a name with which nobody could sign in makes no operator.
  validateBody(newAccount, { name: username, username, password }, 'refuse');
  const { id, user } = await features.accounts.service.create({ name: username, owner });
  await features.audit.recordBySystem({
    accountId: id,
    action: 'user.created',
    objectId: user?.id ?? null,
    after: null,
  });
  console.log(
    `The operator was made; this login is shown only once:\n  username: ${username}\n  password: ${password}`,
  );
}

async function rotateKeys({ features }: System): Promise<void> {
  const kinds = {
    carriers: features.carriers.service.reseal,
    'port orders': features.porting.reseal,
    'second factors': features.twoFactor.service.reseal,
    erasures: features.erasure.reseal,
  };
  let unreadable = 0;
  for (const [what, reseal] of Object.entries(kinds)) {
    const found = await reseal();
    unreadable += found.unreadable.length;
    console.log(`${what}: ${found.looked} looked at, ${found.resealed} sealed anew`);
    for (const id of found.unreadable) console.log(`  neither key opens ${id}`);
  }
  await features.audit.recordBySystem({ accountId: null, action: 'keys.rotated', objectId: null, after: null });
  if (unreadable > 0) throw new Error(`${unreadable} secrets stayed as they were: keep ENCRYPTION_KEY_PREVIOUS.`);
  console.log('ENCRYPTION_KEY_PREVIOUS is needed no longer.');
}

const DAY_MS = 86_400_000;

async function pruneAuditLog({ features }: System, days: number): Promise<void> {
  const deleted = await features.audit.prune(new Date(Date.now() - days * DAY_MS));
  const told = { accountId: null, action: 'audit_log.pruned', objectId: null, after: { days, deleted } };
  await features.audit.recordBySystem(told);
  console.log(`${deleted} entries deleted`);
}

async function backUp(folder: string): Promise<void> {
  const { databaseUrl, dataDir } = readConfig();
  if (databaseUrl !== null) throw new Error('An outside database is backed up with pg_dump: see docs/operations.md.');
  const { isOnline } = await backUpEmbedded(dataDir, folder);
  console.log(`${dataDir} was copied to ${folder}${isOnline ? ' while its database ran' : ''}.`);
}

async function withDatabase(work: (config: Config, databaseUrl: string) => Promise<void>): Promise<void> {
  const config = readConfig();
  const log = createLogger(config.logLevel === 'info' ? 'warn' : config.logLevel);
  const closer = createCloser(log);
  try {
    const databaseUrl = await findDatabase(config, { log, closer, onLost: () => process.exit(1) });
    await migrateToLatest(databaseUrl);
    await work(config, databaseUrl);
  } catch (error) {
    throw new Error(explainStartFailure(error, config), { cause: error });
  } finally {
    await closer.close();
  }
}

/** The product without its doors: nothing listens and no job is worked off. */
const withSystem = (work: (system: System) => Promise<void> | void): Promise<void> =>
  withDatabase(async (config, databaseUrl) => {
    const system = await wire({ config, databaseUrl, log: createLogger('warn') });
    try {
      await work(system);
    } finally {
      await system.close();
    }
  });

function usage(): string {
  const calls = COMMANDS.map(({ name, takes }) => `${name} ${takes}`);
  const width = Math.max(...calls.map(({ length }) => length)) + 2;
  const lines = COMMANDS.map(({ about }, i) => `  ${calls[i]?.padEnd(width)}${about}`);
  return ['Usage: switchboard <command>', '', ...lines, '', 'Settings: see docs/settings.md.'].join('\n');
}

/** With what is wrong with each of the members that were given. */
function explain(error: Error): string {
  const refusal = error.cause ?? error;
  const fields = refusal instanceof AppError ? Object.entries(refusal.fields) : [];
  return [error.message, ...fields.map(([name, sentences]) => `  ${name}: ${sentences.join(' ')}`)].join('\n');
}

const isHelp = (word: string): boolean => word === '--help' || word === '-h';

const usageOf = ({ name, takes, usage: atLength = `${name} ${takes}`.trim() }: Command): string =>
  `Usage: switchboard ${atLength}`;

/** @throws UsageError of a command without options: something else than it takes */
function checkArguments({ name, takes, usage: atLength }: Command, args: readonly string[]): void {
  if (atLength !== undefined) return;
  const option = args.find((word) => word.startsWith('-'));
  if (option !== undefined) throw new UsageError(`${name} has no option ${option}.`);
  const most = takes === '' ? 0 : 1;
  if (args.length > most) throw new UsageError(`${name} does not take ${args.slice(most).join(' ')}.`);
}

async function run([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === 'help' || isHelp(name)) {
    console.log(usage());
    return 0;
  }
  const command = COMMANDS.find((one) => one.name === name);
  try {
    if (!command) throw new UsageError(`There is no command ${name}.`);
    if (args.some(isHelp)) {
      console.log(`${usageOf(command)}\n\n${command.about}`);
      return 0;
    }
    checkArguments(command, args);
    await command.run(args);
    return 0;
  } catch (error) {
    console.error(explain(error as Error));
    if (error instanceof UsageError) console.error(`\n${usage()}`);
    return 1;
  }
}

process.exit(await run(process.argv.slice(2)));
