import Joi from 'joi';
import { pageQuery } from '../../http/pagination.js';
import { contactNumber, newPassword, storedText, userAnswer, username } from './users.schema.js';

const name = storedText(200).description('What the account is called.').example('Acme Ltd');
const days = Joi.number().integer().min(1).max(36_500).allow(null);

export const newAccount = Joi.object({
  name: name.required(),
  username: username.required().description('The first user of the account, an admin.'),
  password: newPassword.required(),
  contact_number: contactNumber.default(null),
});

export const accountChanges = Joi.object({
  name,
  is_active: Joi.boolean().description('Nobody of an inactive account can sign in, and its keys do not work.'),
  call_retention_days: days.description('Days that call logs are kept; null: for ever.'),
  event_retention_days: days.description('Days that events can be read again; null: as the installation is set.'),
  webhook_retention_days: days.description('Days that webhooks are kept; null: as the installation is set.'),
});

export const accountPage = Joi.object(pageQuery());

export const newAccountAnswer = Joi.object({
  id: Joi.string().guid(),
  name: Joi.string(),
  is_active: Joi.boolean(),
  created_at: Joi.string().isoDate(),
  user: userAnswer.allow(null).description('Who has been with the account longest.'),
});

export const accountAnswer = newAccountAnswer.keys({
  call_retention_days: Joi.number().integer().allow(null),
  event_retention_days: Joi.number().integer().allow(null),
  webhook_retention_days: Joi.number().integer().allow(null),
  updated_at: Joi.string().isoDate(),
});

export const accountsAnswer = Joi.array().items(accountAnswer);

export interface NewAccountBody {
  readonly name: string;
  readonly username: string;
  readonly password: string;
  readonly contact_number: string | null;
}

export interface AccountChangesBody {
  readonly name?: string;
  readonly is_active?: boolean;
  readonly call_retention_days?: number | null;
  readonly event_retention_days?: number | null;
  readonly webhook_retention_days?: number | null;
}
