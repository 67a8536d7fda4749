/** What PostgreSQL's and the driver's errors mean for a caller. */

interface DriverError {
  readonly code?: unknown;
  readonly message?: unknown;
}

/** SQLSTATE classes of faults that pass: connection, rollback (deadlock), resources, operator intervention, system. */
const TRANSIENT_STATE = /^(08|40|53|55P03|57|58)/;
const TRANSIENT_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']);
const TRANSIENT_WORDS = /timeout|terminated|connection|pool|aborted/i;

/** Whether the same work may succeed later: the database was out of reach, busy, or chose this transaction to give way. */
export function isTransient(error: unknown): boolean {
  const { code, message } = (error ?? {}) as DriverError;
  if (typeof code === 'string' && code !== '') return TRANSIENT_CODES.has(code) || TRANSIENT_STATE.test(code);
  return typeof message === 'string' && TRANSIENT_WORDS.test(message);
}

/** Whether the connection was lost with the answer: what was asked may have been done all the same. */
export function isAnswerLost(error: unknown): boolean {
  const { code } = (error ?? {}) as DriverError;
  return isTransient(error) && (typeof code !== 'string' || code === '' || TRANSIENT_CODES.has(code));
}
