import { callerAddress } from '../../http/client-address.js';
import { createFairShare } from '../../http/fair-share.js';
import { decodeIdCursor, type PageQuery, pageReply } from '../../http/pagination.js';
import { type AnyRoute, Reply, route } from '../../http/route.js';
import type { AccountChanges, NewAccount } from './account.js';
import { presentAccount, presentNewAccount } from './accounts.present.js';
import {
  type AccountChangesBody,
  accountAnswer,
  accountChanges,
  accountPage,
  accountsAnswer,
  type NewAccountBody,
  newAccount,
  newAccountAnswer,
} from './accounts.schema.js';
import type { AccountsService } from './accounts.service.js';

type Id = { readonly id: string };
type None = Record<string, string>;

const LIST = 'accounts';
const OPERATOR = { tag: 'Accounts', access: 'bearer', role: 'operator' } as const;

const newAccountOf = ({ name, username, password, contact_number }: NewAccountBody): NewAccount => ({
  name,
  owner: { username, password, role: 'admin', isActive: true, contactNumber: contact_number },
});

const changesOf = (body: AccountChangesBody): AccountChanges => ({
  ...(body.name !== undefined && { name: body.name }),
  ...(body.is_active !== undefined && { isActive: body.is_active }),
  ...(body.call_retention_days !== undefined && { callRetentionDays: body.call_retention_days }),
  ...(body.event_retention_days !== undefined && { eventRetentionDays: body.event_retention_days }),
  ...(body.webhook_retention_days !== undefined && { webhookRetentionDays: body.webhook_retention_days }),
});

/** `signupOpen`: anyone may open an account, without a token. */
export function accountsRoutes(accounts: AccountsService, signupOpen: boolean): AnyRoute[] {
  // Each hashes a password, and few are hashed at once: a crowd of one address shall not stand before everybody's sign-in.
  const inLane = createFairShare({ atOnce: 2, mostWaiting: null });
  return [
    route<None, PageQuery>({
      ...OPERATOR,
      method: 'get',
      path: '/api/accounts/',
      summary: 'List the accounts, newest first',
      query: accountPage,
      responses: { 200: { description: 'The accounts.', schema: accountsAnswer } },
      async handle({ query, url }) {
        const page = await accounts.list({ limit: query.limit, before: decodeIdCursor(LIST, query.cursor) });
        return pageReply(LIST, url, { ...page, items: page.items.map(presentAccount) });
      },
    }),
    route<None, unknown, NewAccountBody>({
      ...(signupOpen ? ({ tag: 'Accounts', access: 'public' } as const) : OPERATOR),
      method: 'post',
      path: '/api/accounts/',
      summary: 'Open an account with its first admin',
      description: 'By operators; by anyone where `SIGNUP` is `open`.',
      body: newAccount,
      status: 201,
      responses: {
        201: { description: 'The account.', schema: newAccountAnswer, headers: { Location: 'Where it is.' } },
      },
      async handle({ body, address }) {
        const account = await inLane(callerAddress(address), () => accounts.create(newAccountOf(body)));
        return new Reply(presentNewAccount(account), { headers: { Location: `/api/accounts/${account.id}/` } });
      },
    }),
    route<Id>({
      ...OPERATOR,
      method: 'get',
      path: '/api/accounts/:id/',
      summary: 'One account',
      responses: { 200: { description: 'The account.', schema: accountAnswer } },
      handle: async ({ params }) => presentAccount(await accounts.get(params.id)),
    }),
    route<Id, unknown, AccountChangesBody>({
      ...OPERATOR,
      method: 'patch',
      path: '/api/accounts/:id/',
      summary: 'Change an account',
      description: 'One’s own account cannot be deactivated (409 `own_account`).',
      body: accountChanges,
      responses: {
        200: { description: 'The account.', schema: accountAnswer },
        409: { description: '`own_account`.' },
      },
      async permit({ params }) {
        await accounts.get(params.id);
      },
      handle: async ({ actor, params, body }) =>
        presentAccount(await accounts.change(actor, params.id, changesOf(body))),
    }),
  ];
}
