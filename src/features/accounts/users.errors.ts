import { AppError, invalidFields, notFound } from '../../lib/errors.js';

export const userNotFound = (): AppError => notFound('No such user.');

export const lastAdmin = (): AppError =>
  new AppError('conflict', 'last_admin', 'The last active admin of an account stays.');

const usernameTaken = (cause: unknown): AppError =>
  taken({ username: ['A user with that username already exists.'] }, cause);

const contactNumberTaken = (cause: unknown): AppError =>
  taken({ contact_number: ['Contact number already exists.'] }, cause);

const taken = (fields: Record<string, string[]>, cause: unknown): AppError =>
  new AppError('invalid', 'invalid', invalidFields(fields).message, { fields, cause });

const UNIQUE: Readonly<Record<string, (cause: unknown) => AppError>> = {
  users_username_key: usernameTaken,
  users_account_id_contact_number_key: contactNumberTaken,
};

/** What the table refused, as the answer says it; anything else stays as it is. */
export function explainUserConflict(error: unknown): unknown {
  const { constraint } = error as { constraint?: string };
  return (constraint === undefined ? undefined : UNIQUE[constraint]?.(error)) ?? error;
}
