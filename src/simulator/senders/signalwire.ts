/** SignalWire's Compatibility API: Twilio's words under other ids, with who hung up and without some numbers. */
import { randomBytes } from 'node:crypto';
import type { LegStory } from '../stories.js';
import { cxmlWebhooks, type Dialect, signParameters, sipStatusText } from './cxml-calls.js';
import { runUuid, type Sender } from './sender.js';

/** HangupBy is a number: that of whoever hung up, and the caller's where the platform let the ringing end. */
function hangupOf(leg: LegStory) {
  if (leg.outcome === 'failed') return null;
  return leg.endedBy === 'callee'
    ? ({ by: leg.to, source: 'callee' } as const)
    : ({ by: leg.from, source: 'caller' } as const);
}

const dialect: Dialect = {
  accountSid: 'bdabd0e7-ba45-4745-a1f1-37dea165ce6d',
  callSid: (story, leg, run) => runUuid(run, story.random(`sid of the ${leg} leg`).uuid()),
  parties: (from, to) => ({ From: from, To: to }),
  final(leg) {
    const hangup = hangupOf(leg);
    const isAnswered = leg.answeredAt !== null;
    const sip = leg.direction === 'outgoing' || isAnswered ? { SipResultCode: sipStatusText(leg) } : {};
    const by = hangup
      ? { HangupBy: hangup.by, HangupDirection: hangup.source === 'caller' ? 'inbound' : 'outbound' }
      : {};
    const audio = isAnswered
      ? { AudioInMos: '4.50', AudioInMediaPacketCount: '1842', AudioOutMediaPacketCount: '1840' }
      : {};
    // Real callbacks of calls that nobody answered lack both.
    return { fields: { ...sip, ...by, ...audio }, isNumbered: isAnswered, claim: { source: hangup?.source } };
  },
};

export const signalwire: Sender = {
  provider: 'signalwire',
  makeKeys() {
    const key = `PSK_${randomBytes(18).toString('base64url')}`;
    return { credentials: { signing_key: key }, signing: { key } };
  },
  tell: (story, run) => cxmlWebhooks(story, run, dialect),
  sign: (webhook, { url, keys }) => ({
    body: webhook.body,
    headers: {
      'Content-Type': webhook.contentType,
      'X-SignalWire-Signature': signParameters(keys.signing.key ?? '', url, webhook.body),
    },
  }),
};
