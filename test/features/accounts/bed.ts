import jsonwebtoken from 'jsonwebtoken';
import { SESSIONS_TOPIC, type SessionsHint } from '../../../src/features/accounts/index.js';
import { LOOK } from '../../../src/platform/wakeups.js';
import { startSystem, unique } from '../../support/system.js';

const SECRET = 'a secret of the tests, thirty-two or more';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the product answered is what the test looks at
  readonly body: any;
}

export interface Ask {
  readonly token?: string | undefined;
  readonly json?: unknown;
  readonly form?: Record<string, string>;
  readonly multipart?: Record<string, string>;
  readonly raw?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Record<string, string>;
}

export interface Person {
  readonly id: string;
  readonly accountId: string;
  readonly username: string;
  readonly password: string;
  readonly access: string;
  readonly refresh: string;
}

export type Bed = Awaited<ReturnType<typeof startBed>>;

/** The product with a clock that is moved by hand, and what tests of sign-ins need: forged tokens, whole pairs, hints. */
export async function startBed(env: Record<string, string> = {}) {
  const time = { ahead: 0 };
  const clock = { now: () => Date.now() + time.ahead };
  const product = await startSystem({ env: { JWT_SECRET: SECRET, ...env }, clock });
  const { accounts, apiKeys, tokens } = product.system.features;
  const hints: SessionsHint[] = [];
  product.system.platform.wakeups.subscribe(SESSIONS_TOPIC, (hint) => {
    if (hint !== LOOK) hints.push(hint as SessionsHint);
  });

  async function ask(method: string, path: string, request: Ask = {}): Promise<Answer> {
    const response = await fetch(new URL(path, product.url), { method, ...sent(request) });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  }

  async function signIn(username: string, password: string): Promise<{ access: string; refresh: string }> {
    const answer = await ask('POST', '/api/token/', { json: { username, password } });
    if (answer.status !== 200) throw new Error(`sign-in: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** An account of its own with one user, signed in. */
  async function person(role: 'admin' | 'operator' = 'admin'): Promise<Person> {
    const login = { username: unique('user'), password: unique('password') };
    const owner = { ...login, role, isActive: true, contactNumber: null };
    const made = await accounts.service.create({ name: login.username, owner });
    const pair = await signIn(login.username, login.password);
    return { ...login, ...pair, id: made.user?.id ?? '', accountId: made.id };
  }

  /** Another user of the same account, signed in. */
  async function colleague(of: Person, role: 'member' | 'admin' = 'member'): Promise<Person> {
    const login = { username: unique('user'), password: unique('password') };
    const made = await ask('POST', '/api/users/', { token: of.access, json: { ...login, role } });
    if (made.status !== 201) throw new Error(`user: ${JSON.stringify(made.body)}`);
    const pair = await signIn(login.username, login.password);
    return { ...login, ...pair, id: made.body.id, accountId: of.accountId };
  }

  /** What a token says, with some of it changed (undefined: left out), rightly signed unless told otherwise. */
  function forge(
    token: string,
    changes: Record<string, unknown>,
    how: { secret?: string; algorithm?: 'HS512' | 'none' } = {},
  ): string {
    const claims = Object.entries({ ...claimsOf(token), ...changes }).filter(([, value]) => value !== undefined);
    const given = Object.fromEntries(claims);
    const secret = how.algorithm === 'none' ? '' : (how.secret ?? SECRET);
    return jsonwebtoken.sign(given, secret, { algorithm: how.algorithm ?? 'HS256', noTimestamp: !('iat' in given) });
  }

  return {
    ...{ product, db: product.db, accounts, apiKeys, tokens, hints, ask, signIn, person, colleague, forge },
    advance: (seconds: number) => {
      time.ahead += seconds * 1000;
    },
    /** The status of a request with this access token or key. */
    status: async (token: string, path = '/api/users/me/') => (await ask('GET', path, { token })).status,
    refresh: (token: string) => ask('POST', '/api/token/refresh/', { json: { refresh: token } }),
    stop: () => product.stop(),
  };
}

function sent({ token, json, form, multipart, raw, headers }: Ask): RequestInit {
  const given = new Headers(headers);
  if (token !== undefined) given.set('authorization', `Bearer ${token}`);
  const init: RequestInit = { headers: given };
  if (json !== undefined || raw !== undefined) {
    if (!given.has('content-type')) given.set('content-type', 'application/json');
    init.body = raw ?? JSON.stringify(json);
  } else if (form) init.body = new URLSearchParams(form);
  else if (multipart) {
    const data = new FormData();
    for (const [name, value] of Object.entries(multipart)) data.set(name, value);
    init.body = data;
  }
  return init;
}

/** What the token says. */
export const claimsOf = (token: string): Record<string, unknown> =>
  jsonwebtoken.decode(token) as Record<string, unknown>;
