import Joi from 'joi';
import { newPassword } from '../accounts/index.js';

/** As the seed's text fields: a number counts as its digits, and what is only spaces is blank. */
const seedText: Joi.Root & { seedText(): Joi.StringSchema } = Joi.extend((joi: Joi.Root) => ({
  type: 'seedText',
  base: joi.string(),
  coerce: { from: 'number', method: (value: number) => ({ value: String(value) }) },
}));

const text = (): Joi.StringSchema =>
  seedText
    .seedText()
    .custom((value: string, helpers) => {
      if (value.trim() === '') return helpers.error('string.empty');
      return value.includes('\0') ? helpers.error('string.nullCharacter') : value;
    }, 'not only spaces, no null characters')
    .messages({ 'string.nullCharacter': 'Null characters are not allowed.' })
    .meta({ schema: { type: 'string', minLength: 1 } });

export const credentials = Joi.object({
  username: text().trim().required().example('ada'),
  password: text().required().example('correct horse battery staple'),
});

/** Of those without a second factor `otp` may be anything, as every member that the seed did not know. */
export const login = credentials.keys({
  otp: Joi.any()
    .meta({ schema: { type: 'string' } })
    .description('Of users with a second factor: a code of the authenticator app, or a recovery code.')
    .example('492039'),
});

export const refreshBody = Joi.object({ refresh: text().trim().required().description('A refresh token.') });

export const verifyBody = Joi.object({ token: text().trim().required().description('Any token.') });

export const passwordChange = Joi.object({
  current_password: Joi.string().required(),
  new_password: newPassword.required(),
});

export const pairAnswer = Joi.object({
  refresh: Joi.string().description('For `/api/token/refresh/`; each refresh answers a new one.'),
  access: Joi.string().description('Bearer token for every other request.'),
});

export const emptyAnswer = Joi.object({});
