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

  it('keep no more than so many while a message does not go out: then each topic is to be looked at', async () => {
    const messages: string[] = [];
    let goOn = (): void => undefined;
    const { wakeups } = open(async (message) => {
      messages.push(message);
      if (messages.length === 1) await new Promise<void>((resolve) => (goOn = resolve));
    });

    wakeups.publish('events', 'first');
    for (let i = 0; i < 10_000; i += 1) wakeups.publish(i % 2 ? 'events' : 'carriers', `hint ${i}`);
    wakeups.publish('events', 'last');
    goOn();
    await wakeups.close();

    const hints = messages.map((message) => JSON.parse(message)[1]);
    expect(hints).to.deep.equal([
      [['events', 'first']],
      [
        ['carriers', LOOK],
        ['events', LOOK],
        ['events', 'last'],
      ],
    ]);
  });

  it('are closed also where a message never goes out', async () => {
    const { wakeups } = open(() => new Promise(() => undefined));

    wakeups.publish('events', 'never');
    const begun = performance.now();
    await wakeups.close();

    expect(performance.now() - begun).to.be.lessThan(3000);
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
