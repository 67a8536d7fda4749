import { type AppError, invalidFields, notFound } from '../../lib/errors.js';

export const callNotFound = (): AppError => notFound('No such call log.');

export const badCursor = (): AppError => invalidFields({ cursor: ['Not a valid cursor.'] });
