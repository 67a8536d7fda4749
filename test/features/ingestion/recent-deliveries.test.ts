import { expect } from 'chai';
import type { NewWebhook } from '../../../src/features/ingestion/inbound-webhook.js';
import { createRecentDeliveries } from '../../../src/features/ingestion/recent-deliveries.js';

describe('the recent deliveries', () => {
  const delivery = (carrierId: string, deliveryKey: string) => ({ carrierId, deliveryKey }) as NewWebhook;
  const numbered = (from: number, count: number) =>
    Array.from({ length: count }, (_, place) => delivery('a', String(from + place)));

  it('are known by their carrier and their key', () => {
    const recent = createRecentDeliveries();
    recent.add([delivery('a', '1')]);

    expect(recent.has(delivery('a', '1'))).to.equal(true);
    expect([recent.has(delivery('b', '1')), recent.has(delivery('a', '2'))]).to.deep.equal([false, false]);
  });

  it('are forgotten after so many others, and never many more than twice as many are kept', () => {
    const recent = createRecentDeliveries(10);
    const known = (): number[] => numbered(0, 40).flatMap((each, place) => (recent.has(each) ? [place] : []));
    recent.add(numbered(0, 9));
    recent.add(numbered(9, 1));
    expect(known()).to.have.lengthOf(10);
    recent.add(numbered(10, 9));
    expect(known()).to.have.lengthOf(19);
    recent.add(numbered(19, 1));

    expect(known()).to.deep.equal(numbered(10, 10).map(({ deliveryKey }) => Number(deliveryKey)));
  });
});
