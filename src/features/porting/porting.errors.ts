import { AppError, type FieldErrors, invalidFields, notFound } from '../../lib/errors.js';
import type { PortOrderStatus } from './port-order.js';

export const portOrderNotFound = (): AppError => notFound('No such port order.');

export const portDocumentNotFound = (): AppError => notFound('No such document.');

export const invalidTransition = (
  from: PortOrderStatus,
  to: PortOrderStatus,
  allowed: readonly PortOrderStatus[],
): AppError =>
  new AppError('conflict', 'invalid_transition', `A port order that is ${from} cannot become ${to}.`, {
    details: { from, to, allowed },
  });

export const notEditable = (status: PortOrderStatus, what = 'changed'): AppError =>
  new AppError('conflict', 'not_editable', `A port order that is ${status} cannot be ${what}.`);

export const notSubmittable = (fields: FieldErrors): AppError => invalidFields(fields);

export const wrongMember = (name: string, sentence: string): AppError => invalidFields({ [name]: [sentence] });

export const documentTooLarge = (most: number): AppError =>
  new AppError('too_large', 'document_too_large', `A document may have ${most} bytes at most.`);

export const documentTypeUnsupported = (): AppError =>
  new AppError(
    'unsupported_type',
    'unsupported_document_type',
    'A document is a PDF, PNG or JPEG file; this one is none by its content.',
  );
