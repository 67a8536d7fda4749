import Joi from 'joi';
import { API_KEY_SCOPES, type Scope } from '../../http/actor.js';
import { pageQuery } from '../../http/pagination.js';
import { time } from '../../http/time.js';
import { storedText } from '../accounts/index.js';

const scopes = Joi.array()
  .items(Joi.string().valid(...API_KEY_SCOPES))
  .min(1)
  .unique()
  .description('What the key may do; within them it acts as an admin.')
  .example(['calls:read', 'reports:read']);

export const newApiKey = Joi.object({
  name: storedText(200).required().description('What people call the key.').example('Wallboard'),
  scopes: scopes.required(),
  expires_at: time().allow(null).default(null).description('When the key ends; null: never.'),
});

export const apiKeyPage = Joi.object(pageQuery());

const shownTime = Joi.string().isoDate();

export const apiKeyAnswer = Joi.object({
  id: Joi.string().guid(),
  name: Joi.string(),
  prefix: Joi.string().description('How the key begins.').example('sb_Ab3dE6'),
  scopes: Joi.array().items(Joi.string().valid(...API_KEY_SCOPES)),
  created_by_user_id: Joi.string().guid().allow(null),
  created_at: shownTime,
  expires_at: shownTime.allow(null),
  last_used_at: shownTime.allow(null).description('To the minute.'),
});

export const apiKeysAnswer = Joi.array().items(apiKeyAnswer);

export const newApiKeyAnswer = apiKeyAnswer.keys({
  key: Joi.string().description('The key itself, shown only in this answer; use it as a bearer token.'),
});

export interface NewApiKeyBody {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expires_at: Date | null;
}
