import { type AnyRoute, type BodyKind, type RouteRequest, route } from '../../http/route.js';
import { enrolmentAnswer, presentEnrolment } from '../two-factor/index.js';
import {
  credentials,
  emptyAnswer,
  login,
  pairAnswer,
  passwordChange,
  refreshBody,
  verifyBody,
} from './tokens.schema.js';
import type { Login, RequestOrigin, TokensService } from './tokens.service.js';

type None = Record<string, string>;

const SEED_BODIES: readonly BodyKind[] = ['json', 'form', 'multipart'];
/** The service tells the audit log itself, in the transaction of what it does. */
const PUBLIC = { method: 'post', tag: 'Tokens', access: 'public', audit: false } as const;
const notValid = { 401: { description: '`token_not_valid`.' } };
const pairs = { description: 'A pair of tokens.', schema: pairAnswer };
const empty = { 200: { description: 'Nothing to tell.', schema: emptyAnswer }, ...notValid };

const originOf = ({ address, requestId }: RouteRequest<None, unknown, unknown>): RequestOrigin => ({
  address,
  requestId,
});

export function tokensRoutes(tokens: TokensService): AnyRoute[] {
  return [...signInRoutes(tokens), ...refreshRoutes(tokens), passwordRoute(tokens)];
}

function signInRoutes(tokens: TokensService): AnyRoute[] {
  return [
    route<None, unknown, Login>({
      ...PUBLIC,
      path: '/api/token/',
      countsApart: true,
      summary: 'Sign in',
      description:
        'Failed logins are limited: 10 a minute for each user name with address, 100 for each address; who goes on is ' +
        'held off longer. A user with a second factor is asked for `otp` (401 `otp_required`): a code of the ' +
        'authenticator app, once, or a recovery code. For all others `otp` is passed over.',
      body: login,
      unknownBody: 'ignore',
      accepts: SEED_BODIES,
      responses: {
        200: pairs,
        401: {
          description: '`no_active_account`, `otp_required`, `otp_invalid`, `two_factor_enrolment_required`.',
        },
      },
      handle: (request) => tokens.signIn(request.body, originOf(request)),
    }),
    route<None, unknown, Login>({
      ...PUBLIC,
      path: '/api/token/two_factor/',
      summary: 'Set up the second factor that one’s account demands',
      description:
        'For users without one (401 `two_factor_enrolment_required` at the sign-in). The next sign-in with a code of ' +
        'it as `otp` switches it on; recovery codes come from `/api/users/me/two_factor/recovery_codes/`.',
      body: credentials,
      status: 201,
      responses: {
        201: { description: 'What the authenticator app needs, shown only here.', schema: enrolmentAnswer },
        401: { description: '`no_active_account`.' },
        409: { description: '`two_factor_enabled`, `two_factor_not_demanded`.' },
      },
      handle: async (request) => presentEnrolment(await tokens.enrol(request.body, originOf(request))),
    }),
  ];
}

function refreshRoutes(tokens: TokensService): AnyRoute[] {
  return [
    route<None, unknown, { readonly refresh: string }>({
      ...PUBLIC,
      path: '/api/token/refresh/',
      countsApart: true,
      summary: 'Get a new pair for a refresh token',
      description:
        'A refresh token may be presented again as long as no successor of it has been. One whose successor or ' +
        'sibling has been presented is taken for stolen: the sign-in ends, access tokens included.',
      body: refreshBody,
      unknownBody: 'ignore',
      accepts: SEED_BODIES,
      responses: { 200: pairs, ...notValid },
      handle: (request) => tokens.refresh(request.body.refresh, originOf(request)),
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
      async handle(request) {
        await tokens.signOut(request.body.refresh, originOf(request));
        return {};
      },
    }),
  ];
}

const passwordRoute = (tokens: TokensService): AnyRoute =>
  route<None, unknown, { readonly current_password: string; readonly new_password: string }>({
    method: 'post',
    tag: 'Users',
    access: 'bearer',
    audit: false,
    path: '/api/users/me/password/',
    summary: 'Change one’s own password',
    description: 'Answers a new pair; every other token of the user stops.',
    body: passwordChange,
    responses: { 200: pairs },
    handle: (request) => {
      const { current_password: current, new_password: next } = request.body;
      return tokens.changePassword(request.actor, { current, next }, originOf(request));
    },
  });
