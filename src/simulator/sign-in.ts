/** How the simulator gets into a switchboard, by what it is given. */
import { randomBytes } from 'node:crypto';
import type { Config } from '../platform/config.js';
import { createApi, Refusal } from './api.js';
import { sentence } from './failure.js';
import { findInstallation } from './installation-token.js';

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** Gives the access token that counts now, a new one when the old one is about to end. */
export type TokenSource = () => Promise<string>;

export interface SignInOptions {
  readonly url: string;
  readonly login: Login | null;
  readonly config: Config;
  readonly patience: number;
}

export interface SignedIn {
  readonly token: TokenSource;
  /** For people: who one is. */
  readonly as: string;
}

/** A login that is given; else this machine's own installation; else a new account where anyone may make one. */
export async function signIn(options: SignInOptions): Promise<SignedIn> {
  const { url, login, config } = options;
  if (login) return signInWith(options, login);
  const installation = isLoopback(url) ? await findInstallation(config) : { missing: 'it runs on another machine' };
  if ('sign' in installation) {
    const token = remembered(async () => installation.sign());
    return { token, as: 'the first operator of the installation' };
  }
  const made = await signUp(options);
  if (made) return signInWith(options, made);
  throw sentence(
    'Give the login of an admin with --username and --password (or ADMIN_USERNAME and ADMIN_PASSWORD): ' +
      `the installation itself is not at hand (${installation.missing}; DATA_DIR, DATABASE_URL and JWT_SECRET must be ` +
      'those of the switchboard) and it lets nobody sign up.',
  );
}

export async function signInWith(
  { url, patience }: Pick<SignInOptions, 'url' | 'patience'>,
  login: Login,
): Promise<SignedIn> {
  const api = createApi({ url, patience, token: async () => null });
  const token = remembered(async () => {
    try {
      return String((await api.post('/api/token/', login)).access);
    } catch (error) {
      if (error instanceof Refusal && error.status === 401)
        throw sentence(`${login.username} cannot sign in: ${error.message}.`);
      throw error;
    }
  });
  await token();
  return { token, as: login.username };
}

async function signUp(options: SignInOptions): Promise<Login | null> {
  const api = createApi({ ...options, token: async () => null });
  try {
    return await openAccount(api, 'Simulated calls');
  } catch (error) {
    if (error instanceof Refusal && (error.status === 401 || error.status === 403)) return null;
    throw error;
  }
}

/** Makes an account with an admin whose login is shown, so that people can look at the calls. */
export async function openAccount(api: Pick<ReturnType<typeof createApi>, 'post'>, name: string): Promise<Login> {
  const login = {
    username: `simulator-${randomBytes(4).toString('hex')}`,
    password: randomBytes(12).toString('base64url'),
  };
  await api.post('/api/accounts/', { name, ...login });
  console.log(`Made the account "${name}"; its admin is ${login.username}, password ${login.password}`);
  return login;
}

const EARLY_MS = 30_000;

/** Keeps a token until shortly before its end. */
function remembered(renew: () => Promise<string>): TokenSource {
  let known: { readonly token: string; readonly until: number } | null = null;
  let renewing: Promise<string> | null = null;
  return async () => {
    if (known && Date.now() < known.until) return known.token;
    renewing ??= renew().finally(() => {
      renewing = null;
    });
    const token = await renewing;
    known = { token, until: Date.now() + Math.max(1000, lifeOf(token) - EARLY_MS) };
    return token;
  };
}

/** By what the token says of itself; clocks that differ do no harm so. */
function lifeOf(token: string): number {
  try {
    const { exp, iat } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return (exp - iat) * 1000;
  } catch {
    return 0;
  }
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(hostname);
}
