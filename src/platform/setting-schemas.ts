import Joi from 'joi';

export const seconds = (least: number): Joi.NumberSchema => Joi.number().integer().min(least).max(315_360_000);
export const secretText = Joi.string()
  .min(32)
  .messages({ 'string.min': '{#label} must be a text of 32 or more characters' });
export const onOff = Joi.string().valid('on', 'off');

/** A comma list of origins, each `https://host[:port]` without a path, or `*`. */
export const origins = Joi.string().custom((value: string, helpers) => {
  for (const origin of value.split(',').map((part) => part.trim())) {
    const known = origin === '*' || (URL.canParse(origin) && new URL(origin).origin === origin);
    if (!known) return helpers.error('any.custom', { origin });
  }
  return value;
}, 'origins');

/** What Joi takes may still be none, such as one with a port of six digits. */
export const address = (...scheme: string[]): Joi.StringSchema =>
  Joi.string()
    .uri({ scheme })
    .custom((value: string, helpers) => (URL.canParse(value) ? value : helpers.error('string.uri', { scheme })));

export const plainUrl = address('http', 'https').pattern(/^[^?#]*$/, 'address without query and fragment');
