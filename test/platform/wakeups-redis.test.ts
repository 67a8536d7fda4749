import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import { openRedisCarrier } from '../../src/platform/wakeups-redis.js';
import { until } from '../support/until.js';

describe('wake-ups on a Redis that never answered', () => {
  const strangers: readonly (readonly [what: string, greet: (socket: Socket) => void])[] = [
    ['takes connections and says nothing', () => undefined],
    ['hangs up at once', (socket) => socket.destroy()],
  ];
  for (const [what, greet] of strangers) {
    it(`do not wait for one that ${what}`, async () => {
      const stranger = await listen(greet);
      const carrier = openRedisCarrier(
        stranger.url,
        'channel',
        { heard: () => undefined, missed: () => undefined },
        () => undefined,
      );
      const outcomes: string[] = [];

      for (const message of ['one', 'two']) {
        void carrier.send(message).then(
          () => outcomes.push('sent'),
          () => outcomes.push('failed'),
        );
      }
      await until('both failed', () => outcomes.length === 2, 8000);
      await carrier.close();

      expect(outcomes).to.deep.equal(['failed', 'failed']);
      await stranger.close();
    });
  }
});

async function listen(greet: (socket: Socket) => void): Promise<{ readonly url: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    greet(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
