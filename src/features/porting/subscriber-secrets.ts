import type { SealedColumn } from '../../platform/reseal.js';
import type { SecretBox } from '../../platform/secret-box.js';
import type { PortOrder } from './port-order.js';

/** With these two anybody could move the numbers away, so they are stored sealed. */
export interface SubscriberSecrets {
  readonly accountNumber: string | null;
  readonly pin: string | null;
}

const NONE: SubscriberSecrets = { accountNumber: null, pin: null };

export const placeOfSecrets = (orderId: string): string => `port_orders.subscriber_secrets:${orderId}`;

export const SUBSCRIBER_SECRETS: SealedColumn = {
  ...{ table: 'port_orders', column: 'subscriber_secrets' },
  placeOf: placeOfSecrets,
};

export function sealSecrets(box: SecretBox, orderId: string, secrets: SubscriberSecrets): string | null {
  if (secrets.accountNumber === null && secrets.pin === null) return null;
  return box.seal(JSON.stringify(secrets), placeOfSecrets(orderId));
}

export function openSecrets(box: SecretBox, order: Pick<PortOrder, 'id' | 'subscriberSecrets'>): SubscriberSecrets {
  if (order.subscriberSecrets === null) return NONE;
  try {
    return JSON.parse(box.open(order.subscriberSecrets, placeOfSecrets(order.id)));
  } catch {
    // Sealed with a key that is gone: the order goes on, and whoever needs the two enters them again.
    return NONE;
  }
}

/** As it is shown to those who need not read it: enough to recognise it by. */
export function maskPin(pin: string | null): string | null {
  if (pin === null) return null;
  return pin.length < 4 ? '****' : `****${pin.slice(-2)}`;
}
