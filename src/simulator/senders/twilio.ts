/** Twilio: status callbacks and voice requests, signed over URL and parameters. */
import { randomBytes } from 'node:crypto';
import { cxmlWebhooks, type Dialect, signParameters, sipStatusText } from './cxml-calls.js';
import { type Sender, talkOf } from './sender.js';

const ACCOUNT = 'AC5e1ec7ab1e5e1ec7ab1e5e1ec7ab1e00';

const dialect: Dialect = {
  accountSid: ACCOUNT,
  callSid: (story, leg, run) => `CA${run}${story.random(`sid of the ${leg} leg`).hex(24)}`,
  parties: (from, to) => ({ Called: to, Caller: from, From: from, To: to, CallerCity: '', CallerCountry: 'US' }),
  final(leg) {
    // The SIP status is told of legs that Twilio made; minutes are what it bills.
    const sip = leg.direction === 'outgoing' ? { SipResponseCode: sipStatusText(leg) } : {};
    return { fields: { ...sip, Duration: String(Math.ceil(talkOf(leg) / 60)) }, isNumbered: true, claim: {} };
  },
};

export const twilio: Sender = {
  provider: 'twilio',
  makeKeys() {
    const token = randomBytes(16).toString('hex');
    return { credentials: { auth_token: token, account_sid: ACCOUNT }, signing: { token } };
  },
  tell: (story, run) => cxmlWebhooks(story, run, dialect),
  sign: (webhook, { url, keys }) => ({
    body: webhook.body,
    headers: {
      'Content-Type': webhook.contentType,
      'User-Agent': 'TwilioProxy/1.1',
      'X-Twilio-Signature': signParameters(keys.signing.token ?? '', url, webhook.body),
      ...(webhook.id !== undefined && { 'I-Twilio-Idempotency-Token': webhook.id }),
    },
  }),
};
