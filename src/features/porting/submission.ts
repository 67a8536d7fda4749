import { countryOf, typeOf } from '../../lib/e164.js';
import type { FieldErrors } from '../../lib/errors.js';
import type { PortDocument, PortOrder } from './port-order.js';

/** What an order is judged by. */
export interface Submission {
  readonly order: PortOrder;
  readonly documents: readonly PortDocument[];
  /** Account by number, of those of the order that somebody holds here. */
  readonly holders: ReadonlyMap<string, string>;
  /** The day in UTC. */
  readonly today: string;
}

/** What was found wrong, with the numbers that are meant if it is some of them. */
interface Fault {
  readonly phoneNumbers: readonly string[];
}

export interface SubmissionCheck {
  readonly code: string;
  /** The member of the order that is to be looked at. */
  readonly field: string;
  /** Whether the losing carrier is certain to send the order back; the others may be put right by the day of the port. */
  readonly isBlocking: boolean;
  /** What is wrong, in one sentence. */
  readonly message: string;
  /** What puts it right. */
  readonly correction: string;
  findFault(submission: Submission): Fault | null;
}

const REQUIRED = 'This field is required.';

const faultIf = (isWrong: boolean): Fault | null => (isWrong ? { phoneNumbers: [] } : null);
const faultOf = (phoneNumbers: readonly string[]): Fault | null => (phoneNumbers.length > 0 ? { phoneNumbers } : null);

/** Numbers of other countries than the first; those that no numbering plan places count for none. */
function foreignNumbers({ phoneNumbers }: PortOrder): string[] {
  const placed = phoneNumbers.filter((number) => countryOf(number) !== null);
  return placed.filter((number) => countryOf(number) !== countryOf(placed[0] ?? ''));
}

/** Every check there is. Submitting and the list of checks ask it, the documentation lists it. */
export const SUBMISSION_CHECKS = [
  {
    code: 'phone_numbers_missing',
    field: 'phone_numbers',
    isBlocking: true,
    message: REQUIRED,
    correction: 'Name the numbers that are to move.',
    findFault: ({ order }) => faultIf(order.phoneNumbers.length === 0),
  },
  {
    code: 'countries_mixed',
    field: 'phone_numbers',
    isBlocking: true,
    message: 'The numbers of an order must be of one country.',
    correction: 'Make an order of its own for the numbers of each country.',
    findFault: ({ order }) => faultOf(foreignNumbers(order)),
  },
  {
    code: 'losing_carrier_missing',
    field: 'losing_carrier',
    isBlocking: true,
    message: REQUIRED,
    correction: 'Name the carrier that has the numbers today.',
    findFault: ({ order }) => faultIf(order.losingCarrier === null),
  },
  {
    code: 'subscriber_name_missing',
    field: 'subscriber.name',
    isBlocking: true,
    message: REQUIRED,
    correction: 'Enter the name as the losing carrier has it on record.',
    findFault: ({ order }) => faultIf(order.subscriberName === null),
  },
  {
    code: 'loa_missing',
    field: 'documents',
    isBlocking: true,
    message: 'A letter of authorization is required: a document of the kind loa.',
    correction: 'Upload a letter that is signed, dated within 30 days and lists every number.',
    findFault: ({ documents }) => faultIf(!documents.some(({ kind }) => kind === 'loa')),
  },
  {
    code: 'requested_for_past',
    field: 'requested_for',
    isBlocking: true,
    message: 'The day has passed.',
    correction: 'Choose another day, or none.',
    findFault: ({ order, today }) => faultIf(order.requestedFor !== null && order.requestedFor < today),
  },
  {
    code: 'number_unknown',
    field: 'phone_numbers',
    isBlocking: false,
    message: 'No numbering plan has such a number.',
    correction: 'Look for a mistyped digit; a range may also be newer than the plans.',
    findFault: ({ order }) => faultOf(order.phoneNumbers.filter((number) => typeOf(number) === null)),
  },
  {
    code: 'number_active',
    field: 'phone_numbers',
    isBlocking: false,
    message: 'The account has the number active here already.',
    correction: 'Take the number out of the order, or release it before the day of the port.',
    findFault: ({ order, holders }) =>
      faultOf(order.phoneNumbers.filter((number) => holders.get(number) === order.accountId)),
  },
  {
    code: 'number_taken',
    field: 'phone_numbers',
    isBlocking: false,
    message: 'The number is taken here.',
    correction: 'Take the number out of the order, unless whoever has it releases it before the day of the port.',
    findFault: ({ order, holders }) =>
      faultOf(order.phoneNumbers.filter((number) => (holders.get(number) ?? order.accountId) !== order.accountId)),
  },
] as const satisfies readonly SubmissionCheck[];

/** What came of a check; `fault` is null where it was passed. */
export interface JudgedCheck {
  readonly check: SubmissionCheck;
  readonly fault: Fault | null;
}

export const judgeSubmission = (submission: Submission): JudgedCheck[] =>
  SUBMISSION_CHECKS.map((check) => ({ check, fault: check.findFault(submission) }));

/** What the losing carrier is certain to send back, by member; null: it may go. */
export function refusalOf(judged: readonly JudgedCheck[]): FieldErrors | null {
  const fields: Record<string, string[]> = {};
  for (const { check, fault } of judged) {
    if (fault === null || !check.isBlocking) continue;
    fields[check.field] = [...(fields[check.field] ?? []), check.message];
    // Bodies name a wrong member of a member by the outer one; forms look for the path.
    const [outer = '', inner] = check.field.split('.');
    if (inner) fields[outer] = [`${inner}: ${check.message}`];
  }
  return Object.keys(fields).length > 0 ? fields : null;
}
