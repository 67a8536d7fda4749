/** Why a losing carrier sends an order back, and what the account is to do about it. */
export interface ExceptionKind {
  readonly code: string;
  /** What it means, in one sentence. */
  readonly meaning: string;
  /** What puts it right. */
  readonly correction: string;
  /** The members of the order that are to be looked at. */
  readonly members: readonly string[];
}

export const PORT_EXCEPTIONS = [
  {
    code: 'account_number_mismatch',
    meaning: 'The account number is not the one that the losing carrier has for these numbers.',
    correction: 'Enter the account number as it stands on the latest invoice of the losing carrier, and submit again.',
    members: ['subscriber.account_number'],
  },
  {
    code: 'pin_invalid',
    meaning: 'The PIN or transfer code is missing, wrong or expired.',
    correction: 'Ask the losing carrier for a fresh transfer PIN, enter it, and submit again.',
    members: ['subscriber.pin'],
  },
  {
    code: 'name_mismatch',
    meaning: 'The subscriber is not the one whom the losing carrier has on record.',
    correction:
      'Enter the name exactly as the losing carrier has it on record; the letter of authorization must bear the same.',
    members: ['subscriber.name', 'documents'],
  },
  {
    code: 'address_mismatch',
    meaning: 'The address is not the service address that the losing carrier has on record.',
    correction: 'Enter the service address exactly as the losing carrier has it on record, and submit again.',
    members: ['subscriber.address'],
  },
  {
    code: 'number_not_portable',
    meaning: 'A number cannot be moved: it is not in service, of a kind that stays, or in a range that is not served.',
    correction: 'Take the number out of the order, or have the losing carrier bring it into service, and submit again.',
    members: ['phone_numbers'],
  },
  {
    code: 'number_not_with_carrier',
    meaning: 'A number is not with the losing carrier that the order names.',
    correction: 'Name the carrier that has the number today, or take the number out of the order.',
    members: ['losing_carrier', 'phone_numbers'],
  },
  {
    code: 'loa_invalid',
    meaning: 'The letter of authorization is unreadable, unsigned, too old, or lists other numbers.',
    correction: 'Upload a letter that is signed, dated within 30 days and lists every number, and submit again.',
    members: ['documents'],
  },
  {
    code: 'other_order_pending',
    meaning: 'The losing carrier has another order open for these numbers.',
    correction: 'Have the losing carrier close or cancel its open order, and submit again.',
    members: ['phone_numbers'],
  },
  {
    code: 'foc_rejected',
    meaning: 'The losing carrier does not keep to the day it was asked for.',
    correction: 'Choose another day, at least five working days ahead, and submit again.',
    members: ['requested_for'],
  },
  {
    code: 'other',
    meaning: 'Something else; the message tells what.',
    correction: 'Do as the message says, and submit again; ask in a comment when it is unclear.',
    members: [],
  },
] as const satisfies readonly ExceptionKind[];

export const EXCEPTION_CODES: readonly string[] = PORT_EXCEPTIONS.map(({ code }) => code);

export const exceptionKind = (code: string): ExceptionKind | undefined =>
  PORT_EXCEPTIONS.find((kind) => kind.code === code);
