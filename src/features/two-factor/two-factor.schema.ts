import Joi from 'joi';

const code = Joi.string()
  .trim()
  .max(50)
  .required()
  .description('A code of the authenticator app, or a recovery code.')
  .example('492039');
const currentPassword = Joi.string().max(1024).required();

export const beginBody = Joi.object({ current_password: currentPassword });
export const confirmBody = Joi.object({ otp: code.description('A code of the authenticator app.') });
export const evidenceBody = Joi.object({ current_password: currentPassword, otp: code });
export const demandBody = Joi.object({
  required: Joi.boolean().required().description('Whether every user of the account must have a second factor.'),
});

export const statusAnswer = Joi.object({
  enabled: Joi.boolean(),
  enabled_at: Joi.string().isoDate().allow(null),
  required: Joi.boolean().description('Whether the account demands it.'),
  recovery_codes_left: Joi.number().integer(),
});

export const enrolmentAnswer = Joi.object({
  secret: Joi.string().description('For typing into the app, base32.'),
  otpauth_url: Joi.string()
    .description('For showing as a QR code.')
    .example('otpauth://totp/Switchboard:ada?issuer=Switchboard&secret=…&algorithm=SHA1&digits=6&period=30'),
});

export const codesAnswer = Joi.object({
  recovery_codes: Joi.array()
    .items(Joi.string())
    .description('Each signs in once in the place of a code; shown only in this answer.')
    .example(['k3f7-q2ma-x5tz-w6be']),
});

export interface BeginBody {
  readonly current_password: string;
}

export interface EvidenceBody extends BeginBody {
  readonly otp: string;
}
