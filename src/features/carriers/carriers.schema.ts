import Joi from 'joi';
import { pageQuery } from '../../http/pagination.js';
import { text } from '../../http/text.js';
import { isKnownCountry } from '../../lib/e164.js';
import { PROVIDERS } from './registry.js';

const name = text().trim().min(1).max(200).description('What people call the line.').example('Main line');
const credentials = Joi.object()
  .pattern(Joi.string(), Joi.any())
  .description(
    'What the provider signs with, by name: see the table of providers. A secret is a text, or a list of two ' +
      'while it is being changed (either verifies). Stored encrypted, never shown again.',
  )
  .example({ auth_token: '0123456789abcdef0123456789abcdef' });
const isActive = Joi.boolean().description('An inactive line keeps its webhooks and makes nothing of them.');
const voiceUrl = text()
  .uri({ scheme: ['http', 'https'] })
  .max(2000)
  .allow(null)
  .description('Where a voice request of the provider is redirected to.')
  .example('https://voice.example.com/answer');
const country = Joi.string()
  .uppercase()
  .length(2)
  .custom((value: string, helpers) => (isKnownCountry(value) ? value : helpers.error('country.unknown')))
  .messages({
    'country.unknown': 'Not a known country (ISO 3166 alpha-2).',
    'string.length': 'Not a known country (ISO 3166 alpha-2).',
  })
  .allow(null)
  .description('ISO 3166 alpha-2: parties without + are read as national numbers of it where they can be.')
  .example('DE');

export const newCarrier = Joi.object({
  provider: Joi.string()
    .valid(...PROVIDERS)
    .required()
    .description('Whose webhooks the line takes; cannot be changed.'),
  name: name.required(),
  credentials: credentials.required(),
  shared: Joi.boolean().description('An operator’s line that serves every account’s numbers; cannot be changed.'),
  is_active: isActive,
  voice_url: voiceUrl,
  country,
});

export const carrierChanges = Joi.object({
  provider: Joi.string().description('Cannot be changed: only the present value is taken.'),
  shared: Joi.boolean().description('Cannot be changed: only the present value is taken.'),
  name,
  credentials: credentials.description(
    'What is named takes the place of what was; null takes it away; the others stay. Giving one of a provider’s ' +
      'alternatives (`secret` or `public_key`) drops the other.',
  ),
  is_active: isActive,
  voice_url: voiceUrl,
  country,
});

export const carrierPage = Joi.object(pageQuery());

const time = Joi.string().isoDate();

export const carrierAnswer = Joi.object({
  id: Joi.string().guid(),
  account_id: Joi.string().guid().allow(null).description('Null: shared.'),
  shared: Joi.boolean(),
  provider: Joi.string().valid(...PROVIDERS),
  name: Joi.string(),
  credentials: Joi.array().items(Joi.string()).description('Names of the credentials that are set.'),
  settings: Joi.object()
    .pattern(Joi.string(), Joi.string())
    .description('Those credentials that are no secrets, with their values.'),
  is_active: Joi.boolean(),
  voice_url: Joi.string().allow(null),
  country: Joi.string().allow(null),
  webhook_url: Joi.string().uri().description('What to enter at the provider.'),
  last_event_at: time.allow(null).description('When the last webhook was accepted.'),
  created_at: time,
  updated_at: time,
});

export const carrierInFullAnswer = carrierAnswer.keys({
  last_accepted: Joi.object({ at: time, inbound_webhook_id: Joi.string().guid().allow(null) }).allow(null),
  last_refused: Joi.object({
    at: time,
    code: Joi.string().example('bad_signature'),
    detail: Joi.string().description('Why, and what to look at.'),
  }).allow(null),
  accepted_count: Joi.number().integer(),
  refused_count: Joi.number().integer().description('Refused webhooks are counted, never stored.'),
});

export const carrierSetupAnswer = Joi.object({
  provider: Joi.string().valid(...PROVIDERS),
  webhook_url: Joi.string().uri(),
  steps: Joi.array().items(Joi.string()).description('What to do at the provider, one line a step.'),
  warnings: Joi.array().items(Joi.string()).description('What here stands in the way.'),
});
