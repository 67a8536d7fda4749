/**
 * The one error class. `kind` decides the HTTP status and whether a job is tried again, `code` is the public promise
 * (stable, snake_case, listed in the OpenAPI document), `message` is the sentence for people, `fields` are the
 * sentences of single members, `details` are further members that are safe to send, `cause` is for the log alone.
 */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'conflict'
  | 'gone'
  | 'precondition_failed'
  | 'too_large'
  | 'unsupported_type'
  | 'rate_limited'
  | 'unavailable'
  | 'internal';

export const STATUS_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  gone: 410,
  precondition_failed: 412,
  too_large: 413,
  unsupported_type: 415,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
};

/** Sentences by member name, as the wire shows them: `{ phone_number: ['This field is required.'] }`. */
export type FieldErrors = Readonly<Record<string, readonly string[]>>;

export interface AppErrorOptions {
  readonly fields?: FieldErrors;
  readonly details?: Readonly<Record<string, unknown>>;
  /** Response headers that belong to the error, such as `Retry-After` or `WWW-Authenticate`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

export class AppError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly fields: FieldErrors;
  readonly details: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(kind: ErrorKind, code: string, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.kind = kind;
    this.code = code;
    this.fields = options.fields ?? {};
    this.details = options.details ?? {};
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return STATUS_OF_KIND[this.kind];
  }
}

/** A body or query whose members are wrong; one list of sentences for each. */
export const invalidFields = (fields: FieldErrors): AppError =>
  new AppError('invalid', 'invalid', 'The request has invalid members.', { fields });

export const notFound = (what = 'Not found.'): AppError => new AppError('not_found', 'not_found', what);

export const permissionDenied = (): AppError =>
  new AppError('forbidden', 'permission_denied', 'You do not have permission to perform this action.');
