import { bandwidth } from './bandwidth.js';
import { freeswitch } from './freeswitch.js';
import { generic } from './generic.js';
import { jambonz } from './jambonz.js';
import { plivo } from './plivo.js';
import type { Sender } from './sender.js';
import { signalwire } from './signalwire.js';
import { sinch } from './sinch.js';
import { telnyx } from './telnyx.js';
import { twilio } from './twilio.js';
import { vonage } from './vonage.js';

/** Every provider that can be played. */
export const SENDERS: readonly Sender[] = [
  twilio,
  telnyx,
  vonage,
  plivo,
  signalwire,
  jambonz,
  bandwidth,
  sinch,
  freeswitch,
  generic,
];

export const findSender = (provider: string): Sender | undefined =>
  SENDERS.find((sender) => sender.provider === provider);

export function senderOf(provider: string): Sender {
  const sender = findSender(provider);
  if (!sender) throw new Error(`Nobody here plays ${provider}.`);
  return sender;
}
