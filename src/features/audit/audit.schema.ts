import Joi from 'joi';
import { commaList, idList, type ReadEntry, wordList } from '../../http/comma-list.js';
import { type PageQuery, pageQuery } from '../../http/pagination.js';
import { time } from '../../http/time.js';
import type { AuditFilters } from './audit.queries.js';
import { ACTOR_TYPES, OUTCOMES } from './audit-entry.js';

const readName: ReadEntry = (entry) => (/^[a-z0-9_.]{1,100}$/.test(entry) ? entry : undefined);

const ids = () => idList().description('Comma list.');
const names = () => commaList(readName, 'Not a name.').description('Comma list.');
const oneOf = (allowed: readonly string[]) => wordList(allowed).description('Comma list.');

export const auditPage = Joi.object({
  action: names().example('user.updated,sign_in'),
  outcome: oneOf(OUTCOMES).example('failed'),
  actor_type: oneOf(ACTOR_TYPES),
  actor_user_id: ids(),
  actor_api_key_id: ids(),
  object_type: names().example('virtual_number'),
  object_id: ids(),
  created_after: time().description('created_after ≤ created_at'),
  created_before: time().description('created_at < created_before'),
  account_id: Joi.string()
    .valid('none')
    .description('`none`, for operators: what is nobody’s, such as sign-ins under names that nobody has.'),
  ...pageQuery(),
});

export type AuditListQuery = PageQuery & AuditFilters & { readonly account_id?: 'none' };

const shown = Joi.object().unknown().allow(null);

export const entryAnswer = Joi.object({
  id: Joi.string().guid(),
  created_at: Joi.string().isoDate(),
  action: Joi.string().example('user.updated'),
  outcome: Joi.string()
    .valid(...OUTCOMES)
    .description('`unknown`: the process broke off in the middle; the change was made or not.'),
  actor_type: Joi.string()
    .valid(...ACTOR_TYPES)
    .description('`operator`: of another account; `anonymous`: nobody signed in.'),
  actor_user_id: Joi.string().guid().allow(null),
  actor_api_key_id: Joi.string().guid().allow(null),
  address: Joi.string().allow(null).example('203.0.113.7'),
  request_id: Joi.string().allow(null).description('The `X-Request-Id` of the answer.'),
  object_type: Joi.string().example('user'),
  object_id: Joi.string().guid().allow(null),
  members: Joi.array().items(Joi.string()).description('Names of what the request gave.').example(['role']),
  before: shown.description('The object before, without secrets; of a change, the members that differ.'),
  after: shown.description('The same after it; of an action, its answer.'),
});

export const entriesAnswer = Joi.array().items(entryAnswer);
