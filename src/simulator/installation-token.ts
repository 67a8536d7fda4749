/**
 * Whoever may read an installation's data folder owns the installation: its key signs a short-lived access token for
 * its first operator, so that the simulator runs beside a plain `npm start` without a password being kept anywhere.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Config } from '../platform/config.js';

const TOKEN_SECONDS = 3600;
/** The server's clock may be a little behind. */
const BACKDATED_SECONDS = 2;

interface Operator {
  readonly id: string;
  readonly account_id: string;
}

/** Signs a token each time it is called; null when the installation is not at hand, with the reason. */
export async function findInstallation(
  config: Config,
): Promise<{ readonly sign: () => string } | { readonly missing: string }> {
  const secret = config.jwtSecret ?? readText(join(config.dataDir, 'jwt-secret'));
  if (secret === null) return { missing: `there is no key of an installation in ${config.dataDir}` };
  const databaseUrl = config.databaseUrl ?? embeddedUrl(config.dataDir);
  if (databaseUrl === null) return { missing: `no database of an installation runs in ${config.dataDir}` };
  try {
    const operator = await firstOperator(databaseUrl);
    if (!operator) return { missing: 'its database has no active operator' };
    return { sign: () => signToken(operator, secret) };
  } catch (error) {
    return { missing: `its database cannot be read: ${(error as Error).message}` };
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null;
  } catch {
    return null;
  }
}

/** The embedded server's own file says where it listens; its password lies beside it. */
function embeddedUrl(dataDir: string): string | null {
  const password = readText(join(dataDir, 'pg-password'));
  const port = Number(readText(join(dataDir, 'pg18', 'postmaster.pid'))?.split('\n')[3]);
  if (password === null || !Number.isInteger(port)) return null;
  return `postgres://switchboard:${password}@127.0.0.1:${port}/switchboard`;
}

async function firstOperator(databaseUrl: string): Promise<Operator | undefined> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<Operator>(
      `select u.id, u.account_id from users u join accounts a on a.id = u.account_id and a.is_active
       where u.role = 'operator' and u.is_active order by u.created_at, u.id limit 1`,
    );
    return rows[0];
  } finally {
    await client.end().catch(() => undefined);
  }
}

function signToken(operator: Operator, secret: string): string {
  const iat = Math.floor(Date.now() / 1000) - BACKDATED_SECONDS;
  const claims = {
    ...{ token_type: 'access', exp: iat + TOKEN_SECONDS, iat, jti: randomBytes(16).toString('hex') },
    ...{ user_id: operator.id, account_id: operator.account_id, role: 'operator' },
  };
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
