import { expect } from 'chai';
import { createCallIdRule } from '../../../src/features/erasure/call-id-rule.js';
import { erasedFrom, type WorkedOff } from '../../../src/features/ingestion/erased-in-webhooks.js';
import { newId } from '../../../src/lib/ids.js';
import type { Db } from '../../../src/platform/db/connect.js';
import { pendingWebhook } from './pending-webhook.js';

const NO_DATABASE = null as unknown as Db;
const NO_PLAN = { erased: [], placed: new Map() };

function worked(accountId: string | null, body: string): WorkedOff {
  const webhook = pendingWebhook({ body: Buffer.from(body) });
  return { webhook, outcome: { eventType: null, detail: null }, accountId };
}

/** Of one account, which has had nothing erased that is found; `asked` tells how many hashes were looked up. */
function ruleOf(accountId: string) {
  const asked = { count: 0 };
  const erased = new Map();
  erased.get = () => {
    asked.count += 1;
    return undefined;
  };
  const rule = createCallIdRule(new Map([[accountId, { key: Buffer.alloc(32), erased }]]), null);
  return { rule, asked };
}

describe('the search for erased numbers in webhooks', () => {
  it('makes no text of those of nobody and of accounts where nothing was erased', async () => {
    const { rule } = ruleOf(newId());
    const untouched = [newId(), null].map((accountId) => {
      const one = worked(accountId, '');
      const webhook = Object.defineProperty({ ...one.webhook }, 'body', {
        get() {
          throw new Error('The body was read.');
        },
      });
      return { ...one, webhook };
    });

    const found = await erasedFrom(NO_DATABASE, rule, { webhooks: untouched, ids: [], plan: NO_PLAN });

    expect(found).to.deep.equal([]);
  });

  it('hashes what the webhooks of a batch have in common once', async () => {
    const accountId = newId();
    const { rule, asked } = ruleOf(accountId);
    const webhooks = Array.from({ length: 50 }, () =>
      worked(accountId, '{"to":"+493012345678","from":"+12025550143"}'),
    );

    await erasedFrom(NO_DATABASE, rule, { webhooks, ids: [], plan: NO_PLAN });

    expect(asked.count).to.equal(2);
  });

  it('lets the process do other work in between', async () => {
    const accountId = newId();
    const { rule } = ruleOf(accountId);
    const digits = (seed: number): string => Array.from({ length: 4000 }, (_, at) => 1e9 + seed * 1e5 + at).join(' x ');
    const webhooks = Array.from({ length: 20 }, (_, seed) => worked(accountId, digits(seed)));
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);

    await erasedFrom(NO_DATABASE, rule, { webhooks, ids: [], plan: NO_PLAN });
    clearInterval(timer);

    expect(turns).to.be.above(3);
  });
});
