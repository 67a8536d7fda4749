import { generic } from './generic.js';
import type { Sender } from './sender.js';
import { signalwire } from './signalwire.js';
import { twilio } from './twilio.js';

/** Every provider that can be played. */
export const SENDERS: readonly Sender[] = [twilio, signalwire, generic];

export const findSender = (provider: string): Sender | undefined =>
  SENDERS.find((sender) => sender.provider === provider);

export function senderOf(provider: string): Sender {
  const sender = findSender(provider);
  if (!sender) throw new Error(`Nobody here plays ${provider}.`);
  return sender;
}
