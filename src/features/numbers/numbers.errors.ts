import { AppError, invalidFields } from '../../lib/errors.js';

export const NUMBER_EXISTS = 'Phone number already exists.';
export const NO_SUCH_USER = 'No such user in this account.';
export const NO_SUCH_CARRIER = 'No such carrier in this account.';
export const CLAIMS_CLOSED = 'Only an operator may add a number that nobody held.';

export const numberNotFound = (): AppError => new AppError('not_found', 'not_found', 'No such virtual number.');

/** Held by somebody, or kept for its last holder. */
export const numberExists = (): AppError =>
  new AppError('invalid', 'number_taken', NUMBER_EXISTS, { fields: { phone_number: [NUMBER_EXISTS] } });

export const claimsClosed = (): AppError => new AppError('forbidden', 'permission_denied', CLAIMS_CLOSED);

export const noSuchReference = (fields: Readonly<Record<string, readonly string[]>>): AppError => invalidFields(fields);

export const numberChanged = (): AppError =>
  new AppError('precondition_failed', 'precondition_failed', 'The number was changed since it was read.');

/** Numbers that stop a port: somebody holds them already. */
export const numbersTaken = (phoneNumbers: readonly string[]): AppError =>
  new AppError('conflict', 'number_taken', `Already a virtual number: ${phoneNumbers.join(', ')}.`, {
    details: { phone_numbers: phoneNumbers },
  });

export const csvError = (explanation: string): AppError =>
  new AppError('invalid', 'parse_error', `CSV parse error - ${explanation}`);
