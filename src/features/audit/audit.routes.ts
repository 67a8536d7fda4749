import type { Knex } from 'knex';
import { hasRole } from '../../http/actor.js';
import { decodeIdCursor, pageReply, toPage } from '../../http/pagination.js';
import { type AnyRoute, route } from '../../http/route.js';
import { permissionDenied } from '../../lib/errors.js';
import { presentEntry } from './audit.present.js';
import { searchEntries } from './audit.queries.js';
import { type AuditListQuery, auditPage, entriesAnswer } from './audit.schema.js';

const LIST = 'audit_log';

export function auditRoutes(db: Knex): AnyRoute[] {
  return [
    route<Record<string, string>, AuditListQuery>({
      method: 'get',
      tag: 'Audit log',
      access: 'bearer',
      role: 'admin',
      scope: 'users:read',
      path: '/api/audit_log/',
      summary: 'Who changed what, and every sign-in; newest first',
      description:
        'Entries are never changed. An action is the kind of thing and what was done: `virtual_number.created`, ' +
        '`user.updated`, `api_key.deleted`, `inbound_webhook.replay`; of sign-ins `sign_in`, `sign_out`, ' +
        '`password.changed`, `refresh.theft`.',
      query: auditPage,
      responses: { 200: { description: 'The entries.', schema: entriesAnswer } },
      async handle({ actor, query, url }) {
        if (query.account_id === 'none' && !hasRole(actor, 'operator')) throw permissionDenied();
        const { limit, cursor, account_id: whose, ...filters } = query;
        const accountId = whose === 'none' ? null : actor.accountId;
        const page = { limit: limit + 1, before: decodeIdCursor(LIST, cursor) };
        const entries = await searchEntries(db, accountId, { filters, page });
        const found = toPage(entries, limit, (entry) => [entry.id]);
        return pageReply(LIST, url, { ...found, items: found.items.map(presentEntry) });
      },
    }),
  ];
}
