import { randomBytes } from 'node:crypto';
import { type Api, signIn } from '../lib/installation.js';

/** A carrier's line with its secret and the numbers that are called over it. */
export interface Line {
  readonly account: string;
  readonly carrierId: string;
  readonly provider: 'generic' | 'twilio';
  readonly secret: string;
  readonly numbers: readonly string[];
}

export interface World {
  readonly lines: readonly Line[];
  /** By account: the access token of its admin. */
  readonly tokens: ReadonlyMap<string, string>;
}

const NUMBERS_EACH = 20;
/** Held by nobody. */
export const STRANGE_NUMBER = '+19990000000';

/** Accounts with a line of each provider, made through the doors. */
export async function makeWorld(url: string, accounts: number): Promise<World> {
  const operator = await signIn(url);
  const lines: Line[] = [];
  const tokens = new Map<string, string>();
  for (let place = 0; place < accounts; place += 1) {
    const login = { username: `chaos-${place}`, password: randomBytes(12).toString('hex') };
    const { id: account } = await operator<{ id: string }>('POST', '/api/accounts/', {
      name: login.username,
      ...login,
    });
    const admin = await signIn(url, login);
    tokens.set(account, admin.token);
    const numbers = Array.from({ length: NUMBERS_EACH }, (_, n) => `+1999${place + 1}${String(n).padStart(6, '0')}`);
    await admin('POST', '/api/virtual_numbers/bulk/', { numbers: numbers.map((phone_number) => ({ phone_number })) });
    lines.push(await makeLine(admin, { account, provider: 'generic', numbers }));
    lines.push(await makeLine(admin, { account, provider: 'twilio', numbers }));
  }
  return { lines, tokens };
}

async function makeLine(admin: Api, line: Pick<Line, 'account' | 'provider' | 'numbers'>): Promise<Line> {
  const isGeneric = line.provider === 'generic';
  const secret = isGeneric ? `whsec_${randomBytes(32).toString('base64')}` : randomBytes(16).toString('hex');
  const credentials = isGeneric ? { secret } : { auth_token: secret };
  const body = { provider: line.provider, name: line.provider, credentials };
  const { id } = await admin<{ id: string }>('POST', '/api/carriers/', body);
  return { ...line, carrierId: id, secret };
}
