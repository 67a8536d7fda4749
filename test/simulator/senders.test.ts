import { expect } from 'chai';
import { findAdapter, PROVIDERS, type Signal, type WebhookRequest } from '../../src/features/carriers/index.js';
import { readParty } from '../../src/lib/e164.js';
import type { Claim, Keys, Sender, Webhook } from '../../src/simulator/senders/sender.js';
import { SENDERS } from '../../src/simulator/senders/senders.js';
import { BASE, planOf } from './runs.js';

const URL_OF_CARRIER = 'https://switchboard.example.test/webhooks/0190a000-0000-7000-8000-000000000000/';

function requestOf(sender: Sender, webhook: Webhook, keys: Keys, attempt = 1): WebhookRequest {
  const url = URL_OF_CARRIER + webhook.path;
  const { headers, body } = sender.sign(webhook, { url, keys, now: BASE, attempt });
  const lowerCase = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const path = url.slice('https://switchboard.example.test'.length);
  return { method: 'POST', url, path, headers: lowerCase, body: Buffer.from(body) };
}

const secretsOf = (keys: Keys) =>
  Object.fromEntries(Object.entries(keys.credentials).map(([name, value]) => [name, [value]]));

/** A signal in the words of a claim. */
function claimOf(signal: Signal): Claim {
  const { callId, state, occurredAt, parentCallId, sessionId, hangupCause, hangupSource, providerCause } = signal;
  const party = (text: string | undefined) => (text === undefined ? undefined : readParty(text, null));
  return {
    ...{ leg: callId, state, at: occurredAt, direction: signal.direction, parent: parentCallId, session: sessionId },
    ...{ from: party(signal.from), to: party(signal.to), disposition: signal.disposition, cause: hangupCause },
    ...{ source: hangupSource, providerCause, talkSeconds: signal.talkSeconds, totalSeconds: signal.totalSeconds },
    ...{ answeredAt: signal.answeredAt },
    ...{ price: amountOf(signal.price), currency: signal.currency },
  };
}

/** Decimal places of no weight are left out. */
const amountOf = (price: string | undefined) => (price === undefined ? undefined : String(Number(price)));

const told = (claim: Claim) => Object.fromEntries(Object.entries(claim).filter(([, value]) => value !== undefined));

it('plays every provider that the switchboard understands', () => {
  expect(SENDERS.map(({ provider }) => provider)).to.have.members([...PROVIDERS]);
});

for (const sender of SENDERS) {
  describe(`simulated ${sender.provider}`, () => {
    const { provider } = sender;
    const adapter = findAdapter(provider);
    if (!adapter) throw new Error(`There is no adapter for ${provider}.`);
    const keys = sender.makeKeys();
    const secrets = secretsOf(keys);
    const plan = planOf({ calls: 120, providers: [provider], rate: 0 });
    const webhooks = plan.calls.flatMap((call) => call.webhooks());

    it('sets its carrier up with credentials that are taken', () => {
      for (const [name, value] of Object.entries(keys.credentials)) {
        const rule = adapter.credentials.find((one) => one.name === name);
        expect(rule?.check(value), name).to.equal(null);
      }
    });

    it('has new keys each time', () => {
      expect(sender.makeKeys().signing).not.to.deep.equal(keys.signing);
    });

    it('signs what its adapter verifies, each attempt anew', () => {
      for (const [i, webhook] of webhooks.entries()) {
        const request = requestOf(sender, webhook, keys, 1 + (i % 2));
        expect(adapter.verify(request, secrets, BASE), webhook.event).to.deep.equal({ ok: true });
      }
    });

    it('signs nothing that another one’s keys verify', () => {
      const others = secretsOf(sender.makeKeys());
      const [webhook] = webhooks;

      if (!webhook) throw new Error('There is no webhook.');
      expect(adapter.verify(requestOf(sender, webhook, keys), others, BASE)).to.have.property('ok', false);
    });

    it('gives each webhook one delivery key, whatever the attempt', () => {
      const keyOf = (webhook: Webhook, attempt: number): string => {
        const request = requestOf(sender, webhook, keys, attempt);
        const content = adapter.read(request);
        if (!content) throw new Error('The body cannot be read.');
        return adapter.deliveryKey(request, content) ?? `${request.path}\n${request.body}`;
      };
      const first = webhooks.map((webhook) => keyOf(webhook, 1));
      const second = webhooks.map((webhook) => keyOf(webhook, 2));

      expect(second).to.deep.equal(first);
      expect(new Set(first).size).to.equal(webhooks.length);
    });

    it('claims what its adapter understands', () => {
      const { credentials } = keys;
      for (const webhook of webhooks) {
        const request = requestOf(sender, webhook, keys);
        const content = adapter.read(request);
        if (!content) throw new Error('The body cannot be read.');
        const understood = adapter.understand(request, content, { voiceUrl: null, plain: credentials });
        const claims = webhook.claims.map((claim) => told({ ...claim, price: amountOf(claim.price) }));
        const signals = understood.kind === 'signals' ? understood.signals : [];
        expect(
          signals.map((signal) => told(claimOf(signal))),
          webhook.body,
        ).to.deep.equal(claims);
      }
    });
  });
}
