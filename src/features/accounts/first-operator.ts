import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { Clock } from '../../lib/clock.js';
import type { Db } from '../../platform/db/connect.js';
import { openAccount } from './accounts.service.js';
import type { Passwords } from './password.js';
import { findCredentials } from './users.repository.js';

export interface FirstOperatorDeps {
  readonly db: Knex;
  readonly clock: Clock;
  readonly passwords: Passwords;
  /** `ADMIN_USERNAME` and `ADMIN_PASSWORD`; null: a login is made up when there is no operator. */
  readonly given: Login | null;
  /** Where a made-up login is shown, once. */
  readonly print: (text: string) => void;
}

interface Login {
  readonly username: string;
  readonly password: string;
}

const ACCOUNT_NAME = 'Operations';
const ONE_AT_A_TIME = 'switchboard first operator';

/** Makes the first operator, whatever number of processes start at once; an existing user is left alone. */
export async function ensureFirstOperator(deps: FirstOperatorDeps): Promise<void> {
  const { db, given } = deps;
  if (given !== null) {
    if (await findCredentials(db, { username: given.username })) return;
    await make(deps, given, async (tx) => (await findCredentials(tx, { username: given.username })) === undefined);
    return;
  }
  if (await hasOperator(db)) return;
  const login = await madeUpLogin(db);
  if (await make(deps, login, async (tx) => !(await hasOperator(tx)))) deps.print(announcement(login));
}

async function make(deps: FirstOperatorDeps, login: Login, isNeeded: (tx: Db) => Promise<boolean>): Promise<boolean> {
  const passwordHash = await deps.passwords.hash(login.password);
  return deps.db.transaction(async (tx) => {
    await tx.raw('select pg_advisory_xact_lock(hashtextextended(?, 0))', [ONE_AT_A_TIME]);
    if (!(await isNeeded(tx))) return false;
    const owner = { ...login, role: 'operator' as const, isActive: true, contactNumber: null };
    await openAccount(tx, { name: ACCOUNT_NAME, owner }, { passwordHash, now: new Date(deps.clock.now()) });
    return true;
  });
}

const hasOperator = async (db: Db): Promise<boolean> =>
  (await db('users').where({ role: 'operator' }).first('id')) !== undefined;

async function madeUpLogin(db: Db): Promise<Login> {
  const isTaken = (await findCredentials(db, { username: 'operator' })) !== undefined;
  const username = isTaken ? `operator-${randomBytes(4).toString('hex')}` : 'operator';
  return { username, password: randomBytes(15).toString('base64url') };
}

const announcement = ({ username, password }: Login): string =>
  `The first operator was made; this login is shown only once:\n  username: ${username}\n  password: ${password}\n`;
