import { expect } from 'chai';
import { type CarrierLine, findAdapter } from '../../../src/features/carriers/index.js';
import { understandWebhook } from '../../../src/features/ingestion/understand.js';
import { JSON_TYPE, makeRequest } from '../carriers/providers/samples.js';

const RECEIVED_AT = Date.UTC(2026, 2, 2, 15, 30);

/** What a Bandwidth line says of the end of a leg that was answered at a time. */
function endAnsweredAt(answerTime: string) {
  const adapter = findAdapter('bandwidth');
  if (!adapter) throw new Error('There is no adapter for bandwidth.');
  const line: CarrierLine = {
    ...{ id: 'line', accountId: 'account', provider: 'bandwidth', adapter, secrets: {}, plain: {} },
    ...{ isActive: true, isDeleted: false, voiceUrl: null, country: null },
  };
  const body = JSON.stringify({ eventType: 'disconnect', callId: 'c-1', cause: 'hangup', answerTime });
  const request = makeRequest('/', JSON_TYPE, body);
  const stored = { ...request, id: 'webhook', delivery_key: 'key', received_at: new Date(RECEIVED_AT) };
  return understandWebhook(stored, line);
}

describe('what a stored webhook says', () => {
  it('has the answer that an end tells', () => {
    const words = endAnsweredAt('2026-03-02T15:20:06.123456Z');

    expect(words).to.have.nested.property('signals[0].report.answeredAt', Date.UTC(2026, 2, 2, 15, 20, 6, 123));
  });

  it('is impossible where that answer lies more than a day ahead, or ages ago', () => {
    const dayAhead = new Date(RECEIVED_AT + 86_400_000);
    const impossible = { kind: 'failed', code: 'impossible_time' };

    expect(endAnsweredAt(dayAhead.toISOString())).to.include({ kind: 'reports' });
    expect(endAnsweredAt(new Date(dayAhead.getTime() + 1).toISOString())).to.include(impossible);
    expect(endAnsweredAt('1970-01-01T00:00:00Z')).to.include(impossible);
  });
});
