import Joi from 'joi';
import { pageQuery } from '../../http/pagination.js';
import { isKnownCountry, parsePhoneNumber } from '../../lib/e164.js';
import { ERASURE_STATUSES } from './erasure.js';

export const newErasure = Joi.object({
  country: Joi.string()
    .uppercase()
    .custom((value: string, helpers) => (isKnownCountry(value) ? value : helpers.error('country.unknown')))
    .messages({ 'country.unknown': 'Not a known country (ISO 3166 alpha-2).' })
    .description('With it, `phone_number` may be a national number.')
    .example('DE'),
  phone_number: Joi.any()
    .required()
    .custom((value: unknown, helpers) => {
      const { country } = (helpers.state.ancestors as readonly { country?: unknown }[])[0] ?? {};
      const isCountry = typeof country === 'string' && isKnownCountry(country.toUpperCase());
      const parsed = parsePhoneNumber(value, isCountry ? country.toUpperCase() : undefined);
      return parsed.ok ? parsed.e164 : helpers.error('number.refused', { sentence: parsed.message });
    })
    .messages({ 'number.refused': '{#sentence}' })
    .meta({ schema: { type: ['string', 'number'] } })
    .description('The number of a party; never a virtual number of the account.')
    .example('+4915112345678'),
});

export const erasurePage = Joi.object(pageQuery());

export const erasureAnswer = Joi.object({
  id: Joi.string().guid(),
  status: Joi.string().valid(...ERASURE_STATUSES),
  pseudonym: Joi.string()
    .description('What stands in the number’s place.')
    .example('erased-de-5f3c0a9be1d2447781aa03c5'),
  changed: Joi.object().pattern(Joi.string(), Joi.number().integer()).description('Rows changed so far, by kind.'),
  by_user_id: Joi.string().guid().allow(null),
  by_api_key_id: Joi.string().guid().allow(null),
  created_at: Joi.string().isoDate(),
  finished_at: Joi.string().isoDate().allow(null),
});
