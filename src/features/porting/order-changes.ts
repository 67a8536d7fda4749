import type { SecretBox } from '../../platform/secret-box.js';
import type { PortException, PortOrder, PortOrderStatus } from './port-order.js';
import { maskPin, openSecrets, type SubscriberSecrets, sealSecrets } from './subscriber-secrets.js';

/** An empty text is what a form sends for nothing. */
export interface SubscriberInput {
  readonly name?: string | null;
  readonly address?: string | null;
  readonly account_number?: string | null;
  readonly pin?: string | null;
}

/** What the account writes into an order. */
export interface OrderInput {
  readonly phone_numbers?: readonly string[];
  readonly losing_carrier?: string | null;
  readonly subscriber?: SubscriberInput;
  readonly requested_for?: string | null;
}

export interface OrderPatch extends OrderInput {
  readonly status?: PortOrderStatus;
  readonly exception?: PortException;
  readonly foc_date?: string | null;
}

const CONTENT = ['phone_numbers', 'losing_carrier', 'subscriber', 'requested_for'] as const;

/** Whether the patch touches what only the account writes. */
export const editsContent = (patch: OrderPatch): boolean => CONTENT.some((name) => patch[name] !== undefined);

/** The order with what was written; what is not named stays, within the subscriber too. */
export function editOrder(order: PortOrder, input: OrderInput, box: SecretBox): PortOrder {
  const { subscriber = {} } = input;
  const known = openSecrets(box, order);
  const secrets = editSecrets(known, subscriber);
  return {
    ...order,
    ...(input.phone_numbers !== undefined && { phoneNumbers: input.phone_numbers }),
    ...(input.losing_carrier !== undefined && { losingCarrier: input.losing_carrier }),
    ...(input.requested_for !== undefined && { requestedFor: input.requested_for }),
    ...(subscriber.name !== undefined && { subscriberName: subscriber.name }),
    ...(subscriber.address !== undefined && { subscriberAddress: subscriber.address || null }),
    ...(!isSame(secrets, known) && { subscriberSecrets: sealSecrets(box, order.id, secrets) }),
  };
}

function editSecrets(known: SubscriberSecrets, { account_number, pin }: SubscriberInput): SubscriberSecrets {
  // A client that sends back what it read means the PIN that is there.
  const isMask = pin !== undefined && pin !== null && pin === maskPin(known.pin);
  return {
    accountNumber: account_number === undefined ? known.accountNumber : account_number || null,
    pin: pin === undefined || isMask ? known.pin : pin || null,
  };
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

export type OrderChanges = Readonly<Record<string, { readonly from: unknown; readonly to: unknown }>>;

const MEMBERS = {
  status: 'status',
  phone_numbers: 'phoneNumbers',
  losing_carrier: 'losingCarrier',
  'subscriber.name': 'subscriberName',
  'subscriber.address': 'subscriberAddress',
  requested_for: 'requestedFor',
  exception: 'exception',
  foc_date: 'focDate',
  cancel_reason: 'cancelReason',
} as const satisfies Readonly<Record<string, keyof PortOrder>>;

const HIDDEN = '****';
const hide = (value: string | null): string | null => (value === null ? null : HIDDEN);

/** Old and new value of each member that differs; of secrets only that they differ. */
export function differences(before: PortOrder, after: PortOrder, box: SecretBox): OrderChanges {
  const plain = Object.entries(MEMBERS)
    .filter(([, key]) => !isSame(before[key], after[key]))
    .map(([name, key]) => [name, { from: before[key], to: after[key] }] as const);
  if (before.subscriberSecrets === after.subscriberSecrets) return Object.fromEntries(plain);
  const [was, is] = [openSecrets(box, before), openSecrets(box, after)];
  const secret = (['accountNumber', 'pin'] as const)
    .filter((key) => was[key] !== is[key])
    .map((key) => [SECRET_NAMES[key], { from: hide(was[key]), to: hide(is[key]) }] as const);
  return Object.fromEntries([...plain, ...secret]);
}

const SECRET_NAMES = { accountNumber: 'subscriber.account_number', pin: 'subscriber.pin' } as const;

/** What else becomes of an order that is moved. */
export function moveOrder(
  order: PortOrder,
  to: PortOrderStatus,
  told: { readonly at: number; readonly exception?: PortException; readonly focDate?: string | null },
): PortOrder {
  const moved = { ...order, status: to, exception: null, updatedAt: Math.max(told.at, order.updatedAt) };
  switch (to) {
    case 'submitted':
      return { ...moved, submittedAt: told.at };
    case 'exception':
      // What was promised for the order as it was does not hold for the corrected one.
      return { ...moved, exception: told.exception ?? null, focDate: null, focOverdueAt: null };
    case 'foc_confirmed':
      return { ...moved, focDate: told.focDate === undefined ? order.requestedFor : told.focDate, focOverdueAt: null };
    case 'ported':
      return { ...moved, portedAt: told.at };
    case 'canceled':
      return { ...moved, canceledAt: told.at, cancelReason: 'requested' };
    default:
      return moved;
  }
}
