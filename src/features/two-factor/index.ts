import type { AnyRoute } from '../../http/route.js';
import type { Platform } from '../../platform/platform.js';
import type { Passwords, UsersService } from '../accounts/index.js';
import { createSecondFactors, type Enrolment, type Proof } from './second-factors.js';
import { presentEnrolment } from './two-factor.present.js';
import { twoFactorRoutes } from './two-factor.routes.js';
import { createTwoFactorService, type TwoFactorService } from './two-factor.service.js';

export type { Enrolment, Proof } from './second-factors.js';
export { enrolmentAnswer } from './two-factor.schema.js';
export { presentEnrolment };

/**
 * The second factor of a sign-in: time-based codes (RFC 6238) and recovery codes.
 *
 * @example
 * const twoFactor = createTwoFactor(platform, { passwords: accounts.passwords, users: accounts.users });
 * const proof = await twoFactor.prove(user.userId, body.otp);   // after the password; throws otp_required, otp_invalid
 */
export interface TwoFactor {
  readonly service: TwoFactorService;
  readonly routes: readonly AnyRoute[];
  /** @throws 401, 429 */
  prove(userId: string, otp: unknown): Promise<Proof>;
  /** For a user of an account that demands a second factor and who has none. @throws 409 */
  enrolDemanded(user: { readonly userId: string; readonly username: string }): Promise<Enrolment>;
}

export interface TwoFactorDeps {
  readonly passwords: Passwords;
  readonly users: Pick<UsersService, 'getChangeable'>;
}

export function createTwoFactor(platform: Platform, { passwords, users }: TwoFactorDeps): TwoFactor {
  const { db, clock, wakeups, limiter, secrets } = platform;
  const factors = createSecondFactors({ db, clock, limiter, secrets });
  const service = createTwoFactorService({ db, clock, wakeups, secrets, passwords, factors, users });
  return { service, routes: twoFactorRoutes(service), prove: factors.prove, enrolDemanded: factors.enrolDemanded };
}
