import type { FieldErrors } from '../../lib/errors.js';
import type { PortDocument, PortOrder } from './port-order.js';

const REQUIRED = 'This field is required.';

export interface Submission {
  readonly order: PortOrder;
  readonly documents: readonly PortDocument[];
}

/**
 * What is missing for the losing carrier; null: it may go. A number that somebody holds here does not stand against
 * it: the holder may release it by the day of the port, and `ported` asks again.
 */
export function checkSubmission({ order, documents }: Submission): FieldErrors | null {
  const fields: Record<string, string[]> = {};
  if (order.phoneNumbers.length === 0) fields.phone_numbers = [REQUIRED];
  if (order.losingCarrier === null) fields.losing_carrier = [REQUIRED];
  if (order.subscriberName === null) {
    // Bodies name a wrong member of a member by the outer one; forms look for the path.
    fields.subscriber = [`name: ${REQUIRED}`];
    fields['subscriber.name'] = [REQUIRED];
  }
  if (!documents.some(({ kind }) => kind === 'loa')) {
    fields.documents = ['A letter of authorization is required: a document of the kind loa.'];
  }
  return Object.keys(fields).length > 0 ? fields : null;
}
