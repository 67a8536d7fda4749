import Joi from 'joi';
import { USER_ROLES } from '../../http/actor.js';
import { pageQuery } from '../../http/pagination.js';
import { parsePhoneNumber } from '../../lib/e164.js';

const NULL_CHARACTER = 'Null characters are not allowed.';

function storable(value: string, helpers: Joi.CustomHelpers): string | Joi.ErrorReport {
  if (value.includes('\0')) return helpers.error('string.nullCharacter');
  return value.isWellFormed() ? value : helpers.error('string.base');
}

/** A text that a person typed and the database can keep. */
export const storedText = (most: number): Joi.StringSchema =>
  Joi.string()
    .trim()
    .max(most)
    .custom(storable, 'no null characters, no halves of characters')
    .messages({ 'string.nullCharacter': NULL_CHARACTER });

export const username = storedText(150)
  .description('Unique in the installation; upper and lower case differ.')
  .example('ada');

const SHORTEST_PASSWORD = 8;

/** Counted as a person counts them: an emoji is one character, not the two halves that JavaScript sees. */
const longEnough = (value: string, helpers: Joi.CustomHelpers): string | Joi.ErrorReport =>
  [...value].length < SHORTEST_PASSWORD ? helpers.error('string.min', { limit: SHORTEST_PASSWORD }) : value;

export const newPassword = Joi.string()
  .min(SHORTEST_PASSWORD)
  .max(1024)
  .custom((value: string, helpers) => (value.trim() === '' ? helpers.error('string.empty') : value), 'not only spaces')
  .custom(longEnough, 'no halves of characters')
  .description('8 or more characters.')
  .example('correct horse battery staple');

export const contactNumber = Joi.alternatives(Joi.string(), Joi.number())
  .custom((value: unknown, helpers) => {
    const parsed = parsePhoneNumber(value);
    return parsed.ok ? parsed.e164 : helpers.error('phone.refused', { message: parsed.message });
  }, 'phone number')
  .allow(null)
  .messages({ 'phone.refused': '{#message}', 'alternatives.types': 'Not a valid string.' })
  .description('A phone number, unique in the account; answered as E.164.')
  .example('+4930123456');

const role = Joi.string()
  .valid(...USER_ROLES)
  .description('Only an operator gives the role operator.');
const isActive = Joi.boolean().description('An inactive user cannot sign in, and is signed out everywhere.');

export const newUser = Joi.object({
  username: username.required(),
  password: newPassword.required(),
  role: role.default('member'),
  is_active: isActive.default(true),
  contact_number: contactNumber.default(null),
});

export const userChanges = Joi.object({
  username,
  password: newPassword.description('Signs the user out everywhere.'),
  role,
  is_active: isActive,
  contact_number: contactNumber,
});

export const ownChanges = Joi.object({ contact_number: contactNumber });

export const userPage = Joi.object(pageQuery());

const time = Joi.string().isoDate();

export const userAnswer = Joi.object({
  id: Joi.string().guid(),
  username: Joi.string(),
  role: Joi.string().valid(...USER_ROLES),
  is_active: Joi.boolean(),
  contact_number: Joi.string().allow(null),
  created_at: time,
  updated_at: time,
});

export const usersAnswer = Joi.array().items(userAnswer);

export interface NewUserBody {
  readonly username: string;
  readonly password: string;
  readonly role: (typeof USER_ROLES)[number];
  readonly is_active: boolean;
  readonly contact_number: string | null;
}

export type UserChangesBody = Partial<NewUserBody>;
