import Joi from 'joi';
import type { Actor } from '../../http/actor.js';
import { hasRole } from '../../http/actor.js';
import { idSlice, pageReply } from '../../http/pagination.js';
import { type AnyRoute, Reply, route } from '../../http/route.js';
import type { Clock } from '../../lib/clock.js';
import type { OrderInput, OrderPatch } from './order-changes.js';
import { checkAnswer, orderAnswer, orderInFullAnswer, silentNumberAnswer } from './port-answers.schema.js';
import { PORT_EXCEPTIONS } from './port-exception.js';
import { MOVES, type PortOrder, type Side } from './port-order.js';
import {
  type OrderParts,
  presentCheck,
  presentOrderWithSecrets,
  presentPortedNumber,
  presentSilentNumber,
  type Reader,
} from './porting.present.js';
import type { OrderFilters } from './porting.queries.js';
import { newOrder, type OrderQuery, orderPatch, orderQuery, type SilentQuery, silentQuery } from './porting.schema.js';
import type { PortingService } from './porting.service.js';

type Id = { readonly id: string };
type None = Record<string, string>;

export const COMMON = { tag: 'Port orders', access: 'bearer', role: 'admin' } as const;
export const READ = { ...COMMON, method: 'get', scope: 'port_orders:read' } as const;
export const WRITE = { ...COMMON, scope: 'port_orders:write' } as const;

const LIST = 'port_orders';
const SILENT = 'silent_numbers';
const CONFLICT = {
  description: '`not_editable`, `invalid_transition` (with `from`, `to`, `allowed`), or `number_taken`.',
};

const movesOf = (side: Side): string =>
  MOVES.filter(({ by }) => by === side)
    .map(({ from, to }) => `\`${from}\` → \`${to}\``)
    .join(', ');

const PATCHING =
  'Editing is the account’s, in `draft` and `exception` (else 409 `not_editable`). `status` moves the order, edits ' +
  'of the same request come first. ' +
  `The account moves ${movesOf('account')}; the operator ${movesOf('operator')}; ` +
  'a draft that nobody touches for 30 days is canceled by itself. The other side’s move is 403, one that nobody may ' +
  'make 409 `invalid_transition`. Submitting needs a number, `losing_carrier`, `subscriber.name` and a document `loa`, ' +
  'numbers of one country, and no `requested_for` that has passed, else 400 under each member; `…/checks/` tells ' +
  'beforehand. With `ported` the numbers become the account’s virtual numbers, or, ' +
  'when somebody holds one, 409 `number_taken` names it in `phone_numbers` and nothing changes.\n\n' +
  `Exceptions:\n${PORT_EXCEPTIONS.map(({ code, meaning, correction }) => `- \`${code}\`: ${meaning} ${correction}`).join('\n')}`;

export const readerOf = (actor: Actor): Reader => ({
  accountId: actor.accountId,
  isOperator: hasRole(actor, 'operator'),
});

const filtersOf = (query: OrderQuery): OrderFilters => ({
  ...(query.status && { status: query.status }),
  ...(query.account_id && { accountIds: query.account_id }),
  ...(query.phone_number && { phoneNumbers: query.phone_number }),
  ...(query.foc_overdue !== undefined && { focOverdue: query.foc_overdue }),
});

export function portingRoutes(service: PortingService, clock: Clock): AnyRoute[] {
  const show = (parts: OrderParts, showPin = false): Record<string, unknown> =>
    presentOrderWithSecrets(parts, service.secretsOf(parts.order), { now: clock.now(), showPin });

  async function showInFull(order: PortOrder, wish: { readonly showPin: boolean }): Promise<Record<string, unknown>> {
    const parts = await service.inFull(order);
    return { ...show(parts, wish.showPin), numbers: parts.numbers.map(presentPortedNumber) };
  }

  return [
    route<None, OrderQuery>({
      ...READ,
      path: '/api/port_orders/',
      summary: 'List port orders, newest first',
      description: 'Operators see every account’s.',
      query: orderQuery,
      responses: { 200: { description: 'A page of port orders.', schema: Joi.array().items(orderAnswer) } },
      async handle({ actor, query, url }) {
        const page = await service.list(actor, { filters: filtersOf(query), slice: idSlice(LIST, query) });
        return pageReply(LIST, url, { ...page, items: page.items.map((parts) => show(parts)) });
      },
    }),
    route<None, unknown, OrderInput>({
      ...WRITE,
      method: 'post',
      path: '/api/port_orders/',
      summary: 'Begin a port order',
      description: 'A draft may be as incomplete as it likes; what is missing is asked for when it is submitted.',
      body: newOrder,
      status: 201,
      responses: {
        201: { description: 'The draft.', schema: orderInFullAnswer, headers: { Location: 'Where it is.' } },
      },
      async handle({ actor, body }) {
        const order = await service.create(actor, body);
        const headers = { Location: `/api/port_orders/${order.id}/` };
        return new Reply(await showInFull(order, { showPin: false }), { headers });
      },
    }),
    route<None, SilentQuery>({
      ...READ,
      path: '/api/port_orders/silent_numbers/',
      summary: 'Ported numbers that no call has come in on, the last ported first',
      description: 'A first call is the only proof that a port worked. Released numbers are left out.',
      query: silentQuery,
      responses: { 200: { description: 'A page of numbers.', schema: Joi.array().items(silentNumberAnswer) } },
      async handle({ actor, query, url }) {
        const wish = { accountIds: query.account_id ?? null, slice: idSlice(SILENT, query) };
        const page = await service.listSilent(actor, wish);
        return pageReply(SILENT, url, { ...page, items: page.items.map(presentSilentNumber) });
      },
    }),
    route<Id>({
      ...READ,
      path: '/api/port_orders/:id/',
      summary: 'One port order',
      responses: { 200: { description: 'The order.', schema: orderInFullAnswer } },
      handle: async ({ actor, params }) =>
        showInFull(await service.getOrder(actor, params.id), { showPin: hasRole(actor, 'operator') }),
    }),
    route<Id>({
      ...READ,
      path: '/api/port_orders/:id/checks/',
      summary: 'How a port order would be judged if it were submitted now',
      description:
        'Every check, passed or not. Submitting is refused (400 under `field`) while a `blocking` one is not passed; ' +
        'the others tell what would stand in the way of the port and may change until then. None once the order is ' +
        '`ported` or `canceled`.',
      responses: { 200: { description: 'The checks.', schema: Joi.array().items(checkAnswer) } },
      handle: async ({ actor, params }) => (await service.listChecks(actor, params.id)).map(presentCheck),
    }),
    route<Id, unknown, OrderPatch>({
      ...WRITE,
      method: 'patch',
      path: '/api/port_orders/:id/',
      summary: 'Edit or move a port order',
      description: PATCHING,
      body: orderPatch,
      responses: { 200: { description: 'The order as it is now.', schema: orderInFullAnswer }, 409: CONFLICT },
      permit: async ({ actor, params }) => {
        await service.getOrder(actor, params.id);
      },
      handle: async ({ actor, params, body }) =>
        showInFull(await service.change(actor, params.id, body), { showPin: false }),
    }),
  ];
}
