import { expect } from 'chai';
import { createLogger } from '../../src/platform/log.js';
import { LOOK } from '../../src/platform/wakeups.js';
import { type Carrier, createGatheringWakeups, type Ears } from '../../src/platform/wakeups-gather.js';

describe('gathered wake-ups', () => {
  it('look for themselves where a message is none of theirs, and say so', () => {
    const { wakeups, ears, errors } = open();
    const heard: unknown[] = [];
    wakeups.subscribe('events', (hint) => heard.push(hint));
    const foreign = ['', 'reload', 'null', '7', '{"version":2}', '["another"]', '["another",[null]]'];

    for (const message of foreign) ears.heard(message);
    ears.heard('["another",[["events","understood"]]]');

    expect(heard).to.deep.equal([...foreign.map(() => LOOK), 'understood']);
    expect(errors).to.have.lengthOf(foreign.length);
  });
});

function open(send: Carrier['send'] = async () => undefined) {
  const errors: unknown[] = [];
  const carriers: Ears[] = [];
  const wakeups = createGatheringWakeups(
    (ears) => {
      carriers.push(ears);
      return { mostBytes: 1000, send, close: async () => undefined };
    },
    (error) => errors.push(error),
    createLogger('silent'),
  );
  const [ears] = carriers;
  if (!ears) throw new Error('No carrier was opened.');
  return { wakeups, ears, errors };
}
