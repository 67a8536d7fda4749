import type { Actor } from '../../http/actor.js';
import { type AnyRoute, route } from '../../http/route.js';
import { noSuchUser } from './two-factor.errors.js';
import { presentEnrolment, presentStatus } from './two-factor.present.js';
import {
  type BeginBody,
  beginBody,
  codesAnswer,
  confirmBody,
  demandBody,
  type EvidenceBody,
  enrolmentAnswer,
  evidenceBody,
  statusAnswer,
} from './two-factor.schema.js';
import type { Evidence, TwoFactorService } from './two-factor.service.js';

type None = Record<string, string>;

const OWN = { tag: 'Two-factor sign-in', access: 'bearer' } as const;
const PATH = '/api/users/me/two_factor/';
const codes = { 200: { description: 'The recovery codes; those before are void.', schema: codesAnswer } };

/** The frame keeps keys out of routes without a scope, so there is always a user. */
function ownId(actor: Actor): string {
  if (actor.userId === null) throw noSuchUser();
  return actor.userId;
}

const evidenceOf = ({ current_password: password, otp }: EvidenceBody): Evidence => ({ password, otp });

export function twoFactorRoutes(service: TwoFactorService): AnyRoute[] {
  return [...ownRoutes(service), ...changeRoutes(service), ...adminRoutes(service)];
}

function ownRoutes(service: TwoFactorService): AnyRoute[] {
  return [
    route({
      ...OWN,
      method: 'get',
      path: PATH,
      summary: 'Whether one’s own second factor is switched on',
      responses: { 200: { description: 'How it stands.', schema: statusAnswer } },
      handle: async ({ actor }) => presentStatus(await service.status(ownId(actor))),
    }),
    route<None, unknown, BeginBody>({
      ...OWN,
      method: 'post',
      path: PATH,
      summary: 'Set up a second factor',
      description: 'It is asked for at sign-ins once a code of it was confirmed. Asked again, the secret is a new one.',
      body: beginBody,
      status: 201,
      responses: {
        201: { description: 'What the authenticator app needs, shown only here.', schema: enrolmentAnswer },
        409: { description: '`two_factor_enabled`.' },
      },
      handle: async ({ actor, body }) => presentEnrolment(await service.begin(ownId(actor), body.current_password)),
    }),
    route<None, unknown, { readonly otp: string }>({
      ...OWN,
      method: 'post',
      path: `${PATH}confirm/`,
      summary: 'Switch the second factor on by a code of it',
      body: confirmBody,
      responses: { ...codes, 409: { description: '`two_factor_enabled`, `two_factor_not_enabled`.' } },
      handle: async ({ actor, body }) => ({ recovery_codes: await service.confirm(ownId(actor), body.otp) }),
    }),
  ];
}

function changeRoutes(service: TwoFactorService): AnyRoute[] {
  return [
    route<None, unknown, EvidenceBody>({
      ...OWN,
      method: 'post',
      path: `${PATH}recovery_codes/`,
      summary: 'Get new recovery codes',
      body: evidenceBody,
      responses: { ...codes, 409: { description: '`two_factor_not_enabled`.' } },
      handle: async ({ actor, body }) => ({
        recovery_codes: await service.renewCodes(ownId(actor), evidenceOf(body)),
      }),
    }),
    route<None, unknown, EvidenceBody>({
      ...OWN,
      method: 'post',
      path: `${PATH}disable/`,
      summary: 'Switch one’s own second factor off',
      body: evidenceBody,
      status: 204,
      responses: {
        204: { description: 'It is off.' },
        409: { description: '`two_factor_not_enabled`; `two_factor_demanded`: the account demands it.' },
      },
      handle: ({ actor, body }) => service.disable(ownId(actor), evidenceOf(body)),
    }),
  ];
}

function adminRoutes(service: TwoFactorService): AnyRoute[] {
  const admin = { ...OWN, role: 'admin' } as const;
  const shown = { 200: { description: 'Whether it is demanded.', schema: demandBody } };
  return [
    route<{ readonly id: string }>({
      ...admin,
      method: 'delete',
      path: '/api/users/:id/two_factor/',
      summary: 'Switch off the second factor of a user who lost it',
      responses: {
        204: { description: 'It is off.' },
        409: { description: '`two_factor_not_enabled`; `own_two_factor`: not one’s own.' },
      },
      handle: ({ actor, params }) => service.reset(actor, params.id),
    }),
    route({
      ...admin,
      method: 'get',
      path: '/api/accounts/me/two_factor/',
      summary: 'Whether the account demands a second factor',
      responses: shown,
      handle: async ({ actor }) => ({ required: await service.isDemanded(actor.accountId) }),
    }),
    route<None, unknown, { readonly required: boolean }>({
      ...admin,
      method: 'put',
      path: '/api/accounts/me/two_factor/',
      summary: 'Demand a second factor of every user of the account, or no longer',
      description:
        'Whoever has none is signed out and sets one up at their next sign-in. API keys go on. The asking admin must ' +
        'have one (409 `two_factor_not_enabled`).',
      body: demandBody,
      responses: { ...shown, 409: { description: '`two_factor_not_enabled`.' } },
      async handle({ actor, body }) {
        await service.demand(actor, body.required);
        return { required: body.required };
      },
    }),
  ];
}
