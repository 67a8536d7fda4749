import { AppError } from '../../lib/errors.js';

/** The cursor points before what is kept, or past the newest event: what lies between cannot be told any more. */
export const cursorExpired = (oldestSeq: number): AppError =>
  new AppError(
    'gone',
    'cursor_expired',
    'Events after this cursor are no longer kept, or the cursor is not of this log.',
    {
      details: { oldest_seq: oldestSeq },
    },
  );
