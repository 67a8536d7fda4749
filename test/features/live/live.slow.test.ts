import net from 'node:net';
import { expect } from 'chai';
import { createWorld, type LiveNode, openSocket, type TestSocket, tokenFor, type World } from './live-world.js';

describe('live clients that misbehave', function () {
  this.timeout(60_000);
  let world: World;
  let node: LiveNode;

  before(async () => {
    world = await createWorld();
    node = await world.startNode({}, undefined, 500);
  });
  after(() => world.close());

  it('holds little for a reader that stops reading, closes it, and serves the others meanwhile', async () => {
    const accountId = await world.writer.account();
    const token = tokenFor({ accountId });
    const stuck = openSocket(node.url, { token });
    const quick = openSocket(node.url, { token });
    await Promise.all([stuck.next('snapshot'), quick.next('snapshot')]);
    const engine = stuck.socket.io.engine as unknown as { transport: { ws: { _socket: net.Socket } } };
    const wire = engine.transport.ws._socket;
    wire.pause();

    const id = await world.writer.call(accountId);
    const note = 'x'.repeat(60_000);
    const count = 250;
    for (let i = 0; i < count; i += 1) await world.writer.tell(accountId, id, 'call.updated', { note: note + i });
    await quick.next('call.updated', (event) => event.seq === count + 1);

    expect(quick.events()).to.have.lengthOf(count + 1);
    const writtenAt = Date.now();
    await until(async () => (await connections()) === 1);
    // A heartbeat that is missed would end it as well, but later.
    expect(Date.now() - writtenAt).to.be.below(20_000);
    expect(node.closings()).to.deep.equal(['slow_consumer']);
    quick.close();
    wire.destroy();

    async function connections(): Promise<number> {
      const route = node.live.routes.find(({ path }) => path === '/api/live/health/');
      const health = await route?.handle({ actor: { accountId } } as never);
      return (health as { connections: number }).connections;
    }
  });

  it('cuts off a client that floods it with packets', async () => {
    const accountId = await world.writer.account();
    const socket = openSocket(node.url, { token: tokenFor({ accountId }) });
    await socket.next('snapshot');

    for (let i = 0; i < 1000; i += 1) socket.socket.emit('dance', i);

    expect(await socket.closed).to.equal('transport close');
  });

  it('refuses a message that is too large, and anything that is no Socket.IO', async () => {
    const accountId = await world.writer.account();
    const socket = openSocket(node.url, { token: tokenFor({ accountId }) });
    await socket.next('snapshot');
    socket.socket.emit('subscribe', { tags: ['x'.repeat(100_000)] });
    expect(await socket.closed).to.be.oneOf(['transport close', 'transport error']);

    for (const bytes of ['GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n\r\n', '\0\u0001\u0002'.repeat(100)]) {
      await sendRaw(bytes);
    }
    const after = openSocket(node.url, { token: tokenFor({ accountId }) });
    await after.next('snapshot');
    after.close();
  });

  it('lets a connection join once, and come again with a better token', async () => {
    const accountId = await world.writer.account();
    const twice = openSocket(node.url, { token: tokenFor({ accountId }) });
    const closed = new Promise((resolve) => twice.socket.io.once('close', resolve));
    twice.socket.io.once('open', () => {
      for (let i = 0; i < 5; i += 1) writeRaw(twice, `0/live,${JSON.stringify({ token: tokenFor({ accountId }) })}`);
    });
    await closed;

    const again = openSocket(node.url, { token: 'rubbish' });
    await again.next('connect_error');
    again.socket.auth = { token: tokenFor({ accountId }) };
    again.socket.connect();
    await again.next('snapshot');
    again.close();
  });

  it('outlives packets that make no sense', async () => {
    const accountId = await world.writer.account();
    const nonsense = [
      '2/live,',
      '2/live,["disconnect"]',
      '2/live,[]',
      '2/live,{"a":1}',
      '3/live,7["x"]',
      '51-/live,["x"]',
      '9',
      '',
    ];
    for (const packet of nonsense) {
      const socket = openSocket(node.url, { token: tokenFor({ accountId }) });
      await socket.next('snapshot');
      writeRaw(socket, packet);
      writeRaw(socket, '2/live,["__proto__",{"constructor":{}}]');
      writeRaw(socket, '2/live,["subscribe",{"__proto__":{"tags":["a"]}},null]');
      socket.close();
    }
    const after = openSocket(node.url, { token: tokenFor({ accountId }) });
    await after.next('snapshot');
    after.close();
  });

  const writeRaw = (socket: TestSocket, packet: string): void => {
    (socket.socket.io.engine as unknown as { write(data: string): void }).write(packet);
  };

  function sendRaw(bytes: string): Promise<void> {
    return new Promise((resolve) => {
      const socket = net.connect(Number(new URL(node.url).port), '127.0.0.1', () => socket.end(bytes));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve());
      socket.resume();
    });
  }

  async function until(isTrue: () => Promise<boolean>): Promise<void> {
    while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 100));
  }
});
