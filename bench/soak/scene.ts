import { type Api, signIn } from '../lib/installation.js';

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** An account with a carrier, and members with two numbers each. */
export interface Scene {
  readonly accountId: string;
  readonly webhookPath: string;
  readonly numbers: readonly string[];
  readonly numberIds: readonly string[];
  readonly members: readonly { readonly id: string; readonly login: Login }[];
}

export const SECRET = `whsec_${Buffer.alloc(24, 3).toString('base64')}`;
const MEMBERS = 10;
const NUMBERS_EACH = 2;

export async function setScene(url: string, admin: Login): Promise<Scene> {
  const api = await signIn(url, admin);
  const carrier = await api<{ webhook_url: string; account_id: string }>('POST', '/api/carriers/', {
    ...{ provider: 'generic', name: 'soak', credentials: { secret: SECRET } },
  });
  const people = [];
  for (let place = 0; place < MEMBERS; place += 1) people.push(await hire(api, place));
  return {
    accountId: carrier.account_id,
    webhookPath: new URL(carrier.webhook_url).pathname,
    numbers: people.flatMap(({ numbers }) => numbers.map(({ phone_number }) => phone_number)),
    numberIds: people.flatMap(({ numbers }) => numbers.map(({ id }) => id)),
    members: people,
  };
}

async function hire(api: Api, place: number) {
  const login = { username: `soak-${place}`, password: 'soak-password' };
  const { id } = await api<{ id: string }>('POST', '/api/users/', { ...login, role: 'member' });
  const numbers: { id: string; phone_number: string }[] = [];
  for (let line = 0; line < NUMBERS_EACH; line += 1) {
    const phone_number = `+1999${1_000_000 + place * NUMBERS_EACH + line}`;
    numbers.push(await api('POST', '/api/virtual_numbers/', { phone_number, user_id: id }));
  }
  return { id, login, numbers };
}

const TOKEN_LIFE_MS = 200_000;
const AGAIN_MS = 200;

/** One sign-in for a user, made anew before it ends; tried until the installation answers. */
export function createTokens(url: string): (login: Login) => Promise<string> {
  const kept = new Map<string, { token: Promise<string>; until: number }>();

  async function fetchToken(login: Login): Promise<string> {
    for (;;) {
      const signedIn = await signIn(url, login).catch(() => null);
      if (signedIn) return signedIn.token;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  return (login) => {
    const known = kept.get(login.username);
    if (known && known.until > Date.now()) return known.token;
    const token = fetchToken(login);
    kept.set(login.username, { token, until: Date.now() + TOKEN_LIFE_MS });
    return token;
  };
}
