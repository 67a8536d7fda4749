import type { WebhookAnswer } from '../provider.js';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

const escapeXml = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');

const xml = (inner: string): WebhookAnswer => ({
  status: 200,
  contentType: 'text/xml; charset=utf-8',
  body: `<?xml version="1.0" encoding="UTF-8"?>${inner}`,
});

/** The document that says nothing: Twilio, SignalWire and Plivo want one wherever they ask what to do. */
export const EMPTY_DOCUMENT: WebhookAnswer = xml('<Response/>');

/** Sends the call on to the carrier's `voice_url`; the same three verbs for Twilio, SignalWire and Plivo. */
export function redirectDocument(voiceUrl: string | null): WebhookAnswer {
  return voiceUrl ? xml(`<Response><Redirect>${escapeXml(voiceUrl)}</Redirect></Response>`) : EMPTY_DOCUMENT;
}
