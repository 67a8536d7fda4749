import type { Actor } from '../../http/actor.js';
import { decodeIdCursor, type PageQuery, pageReply } from '../../http/pagination.js';
import { type AnyRoute, Reply, route } from '../../http/route.js';
import type { UserChanges } from './user.js';
import { userNotFound } from './users.errors.js';
import { presentUser } from './users.present.js';
import {
  type NewUserBody,
  newUser,
  ownChanges,
  type UserChangesBody,
  userAnswer,
  userChanges,
  userPage,
  usersAnswer,
} from './users.schema.js';
import type { UsersService } from './users.service.js';

type Id = { readonly id: string };
type None = Record<string, string>;

const LIST = 'users';
const ADMIN = { tag: 'Users', access: 'bearer', role: 'admin' } as const;
const OWN = { tag: 'Users', access: 'bearer', path: '/api/users/me/' } as const;
const oneUser = { description: 'The user.', schema: userAnswer };
const lastAdmin = { 409: { description: '`last_admin`.' } };

const changesOf = (body: UserChangesBody): UserChanges => ({
  ...(body.username !== undefined && { username: body.username }),
  ...(body.password !== undefined && { password: body.password }),
  ...(body.role !== undefined && { role: body.role }),
  ...(body.is_active !== undefined && { isActive: body.is_active }),
  ...(body.contact_number !== undefined && { contactNumber: body.contact_number }),
});

export function usersRoutes(users: UsersService): AnyRoute[] {
  return [...listRoutes(users), ...ownRoutes(users), ...itemRoutes(users)];
}

function listRoutes(users: UsersService): AnyRoute[] {
  return [
    route<None, PageQuery>({
      ...ADMIN,
      method: 'get',
      path: '/api/users/',
      summary: 'List the account’s users, newest first',
      scope: 'users:read',
      query: userPage,
      responses: { 200: { description: 'The users.', schema: usersAnswer } },
      async handle({ actor, query, url }) {
        const page = await users.list(actor.accountId, {
          limit: query.limit,
          before: decodeIdCursor(LIST, query.cursor),
        });
        return pageReply(LIST, url, { ...page, items: page.items.map(presentUser) });
      },
    }),
    route<None, unknown, NewUserBody>({
      ...ADMIN,
      method: 'post',
      path: '/api/users/',
      summary: 'Add a user to the account',
      scope: 'users:write',
      body: newUser,
      status: 201,
      responses: { 201: { ...oneUser, headers: { Location: 'Where it is.' } } },
      async handle({ actor, body }) {
        const { is_active: isActive, contact_number: contactNumber, ...rest } = body;
        const user = await users.create(actor, { ...rest, isActive, contactNumber });
        return new Reply(presentUser(user), { headers: { Location: `/api/users/${user.id}/` } });
      },
    }),
  ];
}

function ownRoutes(users: UsersService): AnyRoute[] {
  return [
    route({
      ...OWN,
      method: 'get',
      summary: 'Who is asking',
      responses: { 200: oneUser },
      handle: async ({ actor }) => presentUser(await users.get(actor.accountId, ownId(actor))),
    }),
    route<None, unknown, { readonly contact_number?: string | null }>({
      ...OWN,
      method: 'patch',
      summary: 'Change one’s own contact number',
      body: ownChanges,
      responses: { 200: oneUser },
      async handle({ actor, body }) {
        const me = { accountId: actor.accountId, id: ownId(actor) };
        if (body.contact_number === undefined) return presentUser(await users.get(me.accountId, me.id));
        return presentUser(await users.changeContactNumber(me, body.contact_number));
      },
    }),
  ];
}

/** The frame keeps keys out of routes without a scope, so there is always a user. */
function ownId(actor: Actor): string {
  if (actor.userId === null) throw userNotFound();
  return actor.userId;
}

function itemRoutes(users: UsersService): AnyRoute[] {
  const permit = async ({ actor, params }: { actor: Actor; params: Id }): Promise<void> => {
    await users.getChangeable(actor, params.id);
  };
  return [
    route<Id>({
      ...ADMIN,
      method: 'get',
      path: '/api/users/:id/',
      summary: 'One user',
      scope: 'users:read',
      responses: { 200: oneUser },
      handle: async ({ actor, params }) => presentUser(await users.get(actor.accountId, params.id)),
    }),
    route<Id, unknown, UserChangesBody>({
      ...ADMIN,
      method: 'patch',
      path: '/api/users/:id/',
      summary: 'Change a user',
      description: 'The last active admin stays one (409 `last_admin`). An operator is changed by operators alone.',
      scope: 'users:write',
      body: userChanges,
      responses: { 200: oneUser, ...lastAdmin },
      permit,
      handle: async ({ actor, params, body }) => presentUser(await users.change(actor, params.id, changesOf(body))),
    }),
    route<Id>({
      ...ADMIN,
      method: 'delete',
      path: '/api/users/:id/',
      summary: 'Delete a user',
      description:
        'Their numbers become unassigned; calls keep the id. The last active admin stays (409 `last_admin`).',
      scope: 'users:write',
      responses: { 204: { description: 'The user is gone.' }, ...lastAdmin },
      permit,
      handle: ({ actor, params }) => users.remove(actor, params.id),
    }),
  ];
}
