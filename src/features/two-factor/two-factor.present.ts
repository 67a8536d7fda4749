import type { Enrolment } from './second-factors.js';
import type { TwoFactorStatus } from './two-factor.service.js';

export const presentStatus = ({ enabledAt, isDemanded, codesLeft }: TwoFactorStatus) => ({
  enabled: enabledAt !== null,
  enabled_at: enabledAt?.toISOString() ?? null,
  required: isDemanded,
  recovery_codes_left: codesLeft,
});

export const presentEnrolment = ({ secret, otpauthUrl }: Enrolment) => ({ secret, otpauth_url: otpauthUrl });
