import type { PendingWebhook } from '../../../src/features/ingestion/inbound-webhook.js';
import { newId } from '../../../src/lib/ids.js';

/** One that says nothing, as a worker takes it. */
export const pendingWebhook = (more: Partial<PendingWebhook> = {}): PendingWebhook => ({
  ...{ id: newId(), carrier_id: newId(), account_id: null, is_new: true, provider: 'generic', code: null },
  ...{ delivery_key: 'key', method: 'POST', path: '/', headers: {}, body: Buffer.from('{}'), attempts: 0 },
  ...{ received_at: new Date(1_700_000_000_123), ...more },
});
