import { type AppError, invalidFields } from '../../lib/errors.js';

export const endsBeforeItBegins = (): AppError => invalidFields({ to: ['Must not be before from.'] });

export const tooManyRows = (most: number): AppError =>
  invalidFields({ group_by: [`The report would have more than ${most} rows: ask for less time or larger groups.`] });
