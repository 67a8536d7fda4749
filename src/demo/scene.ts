/** The account with its users, numbers and carriers, made by the product's own services where they are missing. */
import { randomBytes } from 'node:crypto';
import type { Actor } from '../http/actor.js';
import { AppError } from '../lib/errors.js';
import type { Random } from '../simulator/random.js';
import type { System } from '../wire.js';
import { DemoError, type Options } from './options.js';
import { inventOwnNumber } from './people.js';
import type { OwnNumber } from './stories.js';

export interface Scene {
  readonly accountId: string;
  readonly numbers: readonly [OwnNumber, ...OwnNumber[]];
  /** Of a new account. */
  readonly login: { readonly username: string; readonly password: string } | null;
}

type Line = OwnNumber['carrier'];

const CARRIERS = [
  {
    provider: 'generic',
    name: 'Demo trunk',
    credentials: () => ({ secret: `whsec_${randomBytes(32).toString('base64')}` }),
  },
  { provider: 'twilio', name: 'Demo cloud line', credentials: () => ({ auth_token: randomBytes(16).toString('hex') }) },
] as const;
const FIRST_NAMES = ['anna', 'ben', 'clara', 'david', 'emma', 'felix', 'greta', 'hugo', 'ida', 'jonas'];
const LABELS = ['Head office', 'Support', 'Sales', 'Accounts', 'Hotline', 'Workshop'];
const TRIES = 2000;

export async function setScene(system: System, options: Options, random: Random): Promise<Scene> {
  const { accountId, login } = await openAccount(system, options.account);
  const actor: Actor = {
    ...{ kind: 'user', accountId, userId: null, apiKeyId: null, role: 'operator', scopes: null },
    ...{ sessionId: null, expiresAt: null },
  };
  const userIds = await openUsers(system, actor, options.users);
  const lines: Line[] = [];
  for (const wish of CARRIERS) lines.push(await openLine(system, actor, wish));
  const numbers = await openNumbers(system, actor, { count: options.numbers, userIds, lines, random });
  return { accountId, login, numbers };
}

async function openAccount({ platform, features }: System, name: string): Promise<Pick<Scene, 'accountId' | 'login'>> {
  const known = await platform.db('accounts').where({ name }).orderBy('id').first('id');
  if (known) return { accountId: known.id, login: null };
  const login = { username: `demo-${randomBytes(3).toString('hex')}`, password: randomBytes(12).toString('base64url') };
  const owner = { ...login, role: 'admin', isActive: true, contactNumber: null } as const;
  return { accountId: (await features.accounts.service.create({ name, owner })).id, login };
}

async function openUsers({ features }: System, actor: Actor, count: number): Promise<string[]> {
  const { users } = features.accounts;
  const page = await users.list(actor.accountId, { before: null, limit: 500 });
  const members = page.items.filter(({ role }) => role === 'member').map(({ id }) => id);
  while (members.length < count) {
    const username = `${FIRST_NAMES[members.length % FIRST_NAMES.length]}-${randomBytes(3).toString('hex')}`;
    const password = randomBytes(12).toString('base64url');
    const user = await users.create(actor, {
      ...{ username, password, role: 'member' },
      ...{ isActive: true, contactNumber: null },
    });
    members.push(user.id);
  }
  return members;
}

async function openLine({ features }: System, actor: Actor, wish: (typeof CARRIERS)[number]): Promise<Line> {
  const { provider, name, credentials } = wish;
  const { items } = await features.carriers.service.list(actor, { limit: 500, after: null });
  const known = items.find((carrier) => carrier.name === name && carrier.account_id === actor.accountId);
  const carrier =
    known ?? (await features.carriers.service.create(actor, { provider, name, credentials: credentials() }));
  return { id: carrier.id, provider };
}

interface NumbersWish {
  readonly count: number;
  readonly userIds: readonly string[];
  readonly lines: readonly Line[];
  readonly random: Random;
}

async function openNumbers(system: System, actor: Actor, wish: NumbersWish): Promise<Scene['numbers']> {
  const rows: { id: string; phone_number: string; user_id: string | null; carrier_id: string | null }[] =
    await system.platform.db('virtual_numbers').where({ account_id: actor.accountId, released_at: null }).orderBy('id');
  const known = rows.map((row) => ({
    id: row.id,
    number: row.phone_number,
    userId: row.user_id,
    carrierId: row.carrier_id,
  }));
  while (known.length < wish.count) known.push(await claimAnother(system, actor, { ...wish, place: known.length }));
  const numbers = known.map(({ id, number, userId, carrierId }, place) => ({
    ...{ id, number, userId },
    carrier: wish.lines.find((line) => line.id === carrierId) ?? lineOf(wish.lines, place),
  }));
  const [first, ...others] = numbers;
  if (!first) throw new DemoError('The account has no numbers.');
  return [first, ...others];
}

function lineOf(lines: readonly Line[], place: number): Line {
  const line = lines[place % 4 === 3 ? 1 : 0];
  if (!line) throw new DemoError('The account has no carriers.');
  return line;
}

async function claimAnother({ features }: System, actor: Actor, wish: NumbersWish & { readonly place: number }) {
  const { place, random, lines, userIds } = wish;
  const carrierId = lineOf(lines, place).id;
  // The main number is nobody's in particular.
  const userId = place === 0 || userIds.length === 0 ? null : (userIds[(place - 1) % userIds.length] ?? null);
  for (let tries = 0; tries < TRIES; tries += 1) {
    try {
      const claim = { phoneNumber: inventOwnNumber(random), userId, carrierId, isActive: true, tags: [] };
      const made = await features.numbers.service.claimNumber(actor, { ...claim, label: LABELS[place] ?? null });
      return { id: made.id, number: made.phoneNumber, userId, carrierId };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
  }
  throw new DemoError('No free number was found for the account; ask for fewer.');
}
