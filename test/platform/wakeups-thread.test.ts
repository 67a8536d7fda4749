import { MessageChannel } from 'node:worker_threads';
import { expect } from 'chai';
import { LOOK, type Wakeups } from '../../src/platform/wakeups.js';
import {
  createThreadWakeups,
  type FromThread,
  relayWakeups,
  type ToThread,
} from '../../src/platform/wakeups-thread.js';
import { until } from '../support/until.js';

/** Of one process without others: what is published is heard, and kept with its forms for others. */
function ownWakeups() {
  const listeners = new Map<string, Set<(hint: unknown) => void>>();
  const published: (readonly [topic: string, hint: unknown, elsewhere: unknown])[] = [];
  const wakeups: Wakeups = {
    publish(topic, hint, elsewhere) {
      published.push([topic, hint, elsewhere]);
      for (const hear of listeners.get(topic) ?? []) hear(hint);
    },
    subscribe(topic, hear) {
      const heard = listeners.get(topic) ?? new Set();
      listeners.set(topic, heard.add(hear));
      return () => heard.delete(hear);
    },
    close: async () => undefined,
  };
  return { wakeups, published, listening: () => [...listeners.values()].reduce((sum, { size }) => sum + size, 0) };
}

describe('wake-ups of a thread', () => {
  let channel: MessageChannel;
  beforeEach(() => {
    channel = new MessageChannel();
  });
  afterEach(() => channel.port1.close());

  function join() {
    const process = ownWakeups();
    const thread = createThreadWakeups(channel.port2);
    const relay = relayWakeups(process.wakeups, channel.port1);
    channel.port1.on('message', (told: FromThread) => relay.heard(told));
    channel.port2.on('message', (told: ToThread) => thread.heard(told));
    return { process, thread, relay };
  }

  it('bring it what is told in the process, on its topics, after a hint to look itself', async () => {
    const { process, thread } = join();
    const heard: unknown[] = [];
    thread.subscribe('carriers', (hint) => heard.push(hint));
    thread.subscribe('carriers', (hint) => heard.push(`again ${hint}`));
    await until('it is listened for it', () => process.listening() === 1);
    process.wakeups.publish('other', 'x');
    process.wakeups.publish('carriers', 'one');
    await until('it was heard', () => heard.length === 4);

    expect(heard).to.deep.equal([LOOK, `again ${LOOK}`, 'one', 'again one']);
  });

  it('tell what it has to tell: itself at once, the process in the form for others', async () => {
    const { process, thread } = join();
    const heard: unknown[] = [];
    const stop = thread.subscribe('events', (hint) => heard.push(hint));
    thread.publish('events', ['all', 'of', 'it'], ['short', 'shorter']);
    expect(heard).to.deep.equal([['all', 'of', 'it']]);
    stop();
    thread.publish('events', 'plain');
    await until('both were published', () => process.published.length === 2);

    expect(process.published).to.deep.equal([
      ['events', 'short', ['short', 'shorter']],
      ['events', 'plain', ['plain']],
    ]);
    expect(heard.filter((hint) => hint === 'plain')).to.deep.equal([]);
  });

  it('leave no listener behind', async () => {
    const { process, thread, relay } = join();
    thread.subscribe('carriers', () => undefined);
    await until('it is listened for it', () => process.listening() === 1);
    relay.stop();

    expect(process.listening()).to.equal(0);
  });
});
