import { expect } from 'chai';
import { createCarrierActivity } from '../../../src/features/carriers/carrier-activity.js';
import { newId } from '../../../src/lib/ids.js';
import type { Db } from '../../../src/platform/db/connect.js';
import { createLogger } from '../../../src/platform/log.js';
import { until } from '../../support/until.js';

interface Row {
  readonly accepted_count: number;
}

describe('the activity of carriers', () => {
  it('is written within a second of a write that failed, also where nothing more is heard', async () => {
    const { activity, written } = open((tries) => {
      if (tries === 1) throw new Error('down for a moment');
    });

    activity.accepted(newId(), { at: Date.now() });
    await until('it is written', () => written.length > 0, 3000);

    expect(written.map(({ accepted_count }) => accepted_count)).to.deep.equal([1]);
    await activity.close();
  });

  it('is written to the end for everyone who asks for it', async () => {
    const goOn: (() => void)[] = [];
    const { activity, written } = open(() => new Promise<void>((resolve) => goOn.push(resolve)));
    const counts: number[] = [];

    activity.accepted(newId(), { at: Date.now() });
    void activity.flush();
    await until('it is being written', () => goOn.length === 1);
    activity.accepted(newId(), { at: Date.now() });
    const asked = [1, 2].map(() => activity.flush().then(() => counts.push(written.length)));
    goOn[0]?.();
    await until('the rest is being written', () => goOn.length === 2);
    goOn[1]?.();
    await Promise.all(asked);

    expect(counts).to.deep.equal([2, 2]);
    await activity.close();
  });
});

/** On a database that does no more than to keep what is written, as far as `allow` lets it. */
function open(allow: (tries: number) => void | Promise<void>) {
  const written: Row[] = [];
  let tries = 0;
  const raw = async (_: string, [rows = '[]']: readonly string[]): Promise<void> => {
    tries += 1;
    await allow(tries);
    written.push(...(JSON.parse(rows) as Row[]));
  };
  const db = { raw } as unknown as Db;
  const clock = { now: () => Date.now() };
  return { activity: createCarrierActivity({ db, clock, log: createLogger('silent') }), written };
}
