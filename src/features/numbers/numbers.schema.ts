import Joi from 'joi';
import { type PageQuery, pageQuery } from '../../http/pagination.js';
import { isId } from '../../lib/ids.js';
import { NUMBER_ACTIONS } from './number.js';
import { carrierId, country, label, phoneNumber, readTruth, tags, truth, userId } from './number-fields.js';
import { searchPatterns } from './number-search.js';
import type { FilterValues } from './numbers.queries.js';

export interface ClaimInput {
  readonly phone_number: string;
  readonly is_active: boolean;
  readonly label?: string | null;
  readonly tags?: readonly string[];
  readonly user_id?: string | null;
  readonly carrier_id?: string | null;
}

export const claimBody = Joi.object({
  phone_number: phoneNumber.required(),
  is_active: truth.default(true).description('Kept for clients; calls of an inactive number are recorded as well.'),
  label,
  tags,
  user_id: userId.description('Default: nobody; the number that a member adds is assigned to them.'),
  carrier_id: carrierId,
  country,
});

export interface ChangeInput {
  readonly is_active?: boolean;
  readonly label?: string | null;
  readonly tags?: readonly string[];
  readonly user_id?: string | null;
  readonly carrier_id?: string | null;
}

export const changeMembers = {
  is_active: truth.description('Calls of an inactive number are recorded as well.'),
  label,
  tags,
  user_id: userId,
  carrier_id: carrierId,
};
export const changeBody = Joi.object(changeMembers);

export interface ListQuery extends Omit<PageQuery, 'limit'> {
  readonly limit?: number;
  readonly is_active?: FilterValues<boolean>;
  readonly user_id?: FilterValues<string>;
  readonly carrier_id?: FilterValues<string>;
  readonly country?: FilterValues<string>;
  readonly tag?: FilterValues<string>;
  readonly search?: readonly string[];
}

/** The seed's clients know no pages: without a limit they get all that most accounts will ever have. */
export const LENGTH_WITHOUT_LIMIT = 1000;

const IGNORED = undefined;

/** A comma list in which `none` is null. The seed's list ignores what it does not understand, so this one does too. */
function commaList<T>(read: (text: string) => T | undefined) {
  return Joi.any().custom((given: string | readonly string[]) => {
    const texts = [given].flat().join(',').split(',');
    const values = texts.map((text) => (text.trim() === 'none' ? null : read(text.trim())));
    return values.includes(undefined) ? IGNORED : values;
  });
}

const readId = (text: string): string | undefined => (isId(text) ? text.toLowerCase() : undefined);
const readCountry = (text: string): string | undefined => (/^[a-z]{2}$/i.test(text) ? text.toUpperCase() : undefined);
const readTag = (text: string): string | undefined => (text === '' || text.includes('\0') ? undefined : text);

/** Each costs a look at every number of the account. */
const MOST_ALTERNATIVES = 100;

const search = Joi.any().custom((given: string | readonly string[]) => {
  const texts = [given]
    .flat()
    .join(',')
    .split(',')
    .filter((text) => text.trim() !== '');
  const isOne = texts.length > 0 && texts.length <= MOST_ALTERNATIVES;
  return isOne ? texts.flatMap((text) => searchPatterns(text.trim())) : IGNORED;
});

export const listQuery = Joi.object({
  ...pageQuery(),
  limit: Joi.number()
    .integer()
    .min(1)
    .max(500)
    .description(`Rows of a page; without it as many as ${LENGTH_WITHOUT_LIMIT.toLocaleString('en')}.`),
  is_active: commaList(readTruth)
    .meta({ schema: { type: 'string' } })
    .description('`true` or `false`.'),
  user_id: commaList(readId)
    .meta({ schema: { type: 'string' } })
    .description('Ids of users; `none`: assigned to nobody.'),
  carrier_id: commaList(readId)
    .meta({ schema: { type: 'string' } })
    .description('Ids of carriers; `none`: on no line.'),
  country: commaList(readCountry)
    .meta({ schema: { type: 'string' } })
    .description('ISO 3166 alpha-2 codes; `none`: unknown.'),
  tag: commaList(readTag)
    .meta({ schema: { type: 'string' } })
    .description('Numbers with one of these tags; `none`: without any.'),
  search: search
    .meta({ schema: { type: 'string' } })
    .description(`Any part of the number, in any spelling; at most ${MOST_ALTERNATIVES} of them.`),
});

export const historyQuery = Joi.object(pageQuery());

const time = Joi.string().isoDate();

export const numberAnswer = Joi.object({
  id: Joi.string().guid(),
  phone_number: Joi.string().description('E.164.').example('+14155550100'),
  is_active: Joi.boolean(),
  label: Joi.string().allow(null),
  country: Joi.string().allow(null).description('By the numbering plans; null when they do not tell.').example('US'),
  type: Joi.string()
    .allow(null)
    .description('`mobile`, `fixed_line`, `fixed_line_or_mobile`, `toll_free`, `voip`, …; null when unknown.'),
  tags: Joi.array().items(Joi.string()),
  user_id: Joi.string().guid().allow(null),
  carrier_id: Joi.string().guid().allow(null),
  created_at: time,
  updated_at: time,
});

export const listAnswer = Joi.array().items(numberAnswer);

export const historyAnswer = Joi.array().items(
  Joi.object({
    id: Joi.string().guid(),
    at: time,
    action: Joi.string().valid(...NUMBER_ACTIONS),
    by_user_id: Joi.string()
      .guid()
      .allow(null)
      .description('Null: an API key, the system, or another account’s operator.'),
    by_api_key_id: Joi.string().guid().allow(null),
    changes: Joi.object()
      .pattern(Joi.string(), Joi.object({ from: Joi.any(), to: Joi.any() }))
      .description('Old and new value of each member that changed.')
      .example({ user_id: { from: null, to: '019a8f3e-5d2c-7b1a-9c4d-2f6e8a7b1c3d' } }),
  }),
);
