import { countryOf } from '../../lib/e164.js';
import type { FieldErrors } from '../../lib/errors.js';
import { dayOf, type PortDocument, type PortOrder } from './port-order.js';

const REQUIRED = 'This field is required.';

export interface Submission {
  readonly order: PortOrder;
  readonly documents: readonly PortDocument[];
  /** Those of its numbers that somebody holds here already. */
  readonly held: ReadonlySet<string>;
  readonly now: number;
}

/** What the losing carrier, or the last move, would certainly refuse; null: it may go. */
export function checkSubmission({ order, documents, held, now }: Submission): FieldErrors | null {
  const fields: Record<string, string[]> = {};
  const numbers = numberSentences(order.phoneNumbers, held);
  if (numbers.length > 0) fields.phone_numbers = numbers;
  if (order.losingCarrier === null) fields.losing_carrier = [REQUIRED];
  if (order.subscriberName === null) {
    // Bodies name a wrong member of a member by the outer one; forms look for the path.
    fields.subscriber = [`name: ${REQUIRED}`];
    fields['subscriber.name'] = [REQUIRED];
  }
  if (!documents.some(({ kind }) => kind === 'loa')) {
    fields.documents = ['A letter of authorization is required: a document of the kind loa.'];
  }
  if (order.requestedFor !== null && order.requestedFor < dayOf(now)) {
    fields.requested_for = ['This day has passed.'];
  }
  return Object.keys(fields).length > 0 ? fields : null;
}

function numberSentences(numbers: readonly string[], held: ReadonlySet<string>): string[] {
  if (numbers.length === 0) return [REQUIRED];
  // A number whose country the plans do not tell stands against no other.
  const countries = [...new Set(numbers.map(countryOf).filter((country) => country !== null))].sort();
  const mixed =
    countries.length > 1 ? [`All numbers must be of one country; these are of ${countries.join(', ')}.`] : [];
  const active = numbers.filter((number) => held.has(number)).map((number) => `${number} is already active here.`);
  return [...mixed, ...active];
}
