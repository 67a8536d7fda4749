import { type AnyRoute, type BodyKind, route } from '../../http/route.js';
import { emptyAnswer, login, pairAnswer, passwordChange, refreshBody, verifyBody } from './tokens.schema.js';
import type { TokensService } from './tokens.service.js';

type None = Record<string, string>;

const SEED_BODIES: readonly BodyKind[] = ['json', 'form', 'multipart'];
const PUBLIC = { method: 'post', tag: 'Tokens', access: 'public' } as const;
const notValid = { 401: { description: '`token_not_valid`.' } };
const pairs = { description: 'A pair of tokens.', schema: pairAnswer };
const empty = { 200: { description: 'Nothing to tell.', schema: emptyAnswer }, ...notValid };

export function tokensRoutes(tokens: TokensService): AnyRoute[] {
  return [
    route<None, unknown, { readonly username: string; readonly password: string }>({
      ...PUBLIC,
      path: '/api/token/',
      summary: 'Sign in',
      description: 'Failed logins are limited: 10 a minute for each user name with address, 100 for each address.',
      body: login,
      unknownBody: 'ignore',
      accepts: SEED_BODIES,
      responses: { 200: pairs, 401: { description: '`no_active_account`.' } },
      handle: ({ body, address }) => tokens.signIn({ ...body, address }),
    }),
    route<None, unknown, { readonly refresh: string }>({
      ...PUBLIC,
      path: '/api/token/refresh/',
      summary: 'Get a new pair for a refresh token',
      description:
        'A refresh token may be presented again as long as no successor of it has been. One whose successor or ' +
        'sibling has been presented is taken for stolen: the sign-in ends, access tokens included.',
      body: refreshBody,
      unknownBody: 'ignore',
      accepts: SEED_BODIES,
      responses: { 200: pairs, ...notValid },
      handle: ({ body }) => tokens.refresh(body.refresh),
    }),
    route<None, unknown, { readonly token: string }>({
      ...PUBLIC,
      path: '/api/token/verify/',
      summary: 'Whether a token would be taken',
      body: verifyBody,
      responses: empty,
      async handle({ body }) {
        await tokens.verify(body.token);
        return {};
      },
    }),
    route<None, unknown, { readonly refresh: string }>({
      ...PUBLIC,
      path: '/api/token/blacklist/',
      summary: 'Sign out',
      description: 'Ends the sign-in that the refresh token belongs to, access tokens included.',
      body: refreshBody,
      responses: empty,
      async handle({ body }) {
        await tokens.signOut(body.refresh);
        return {};
      },
    }),
    route<None, unknown, { readonly current_password: string; readonly new_password: string }>({
      method: 'post',
      tag: 'Users',
      access: 'bearer',
      path: '/api/users/me/password/',
      summary: 'Change one’s own password',
      description: 'Answers a new pair; every other token of the user stops.',
      body: passwordChange,
      responses: { 200: pairs },
      handle: ({ actor, body, address }) =>
        tokens.changePassword(actor, { current: body.current_password, next: body.new_password, address }),
    }),
  ];
}
