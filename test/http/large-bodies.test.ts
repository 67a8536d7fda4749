import { EventEmitter, once } from 'node:events';
import { IncomingMessage, request } from 'node:http';
import { Socket } from 'node:net';
import { expect } from 'chai';
import Joi from 'joi';
import { readBody } from '../../src/http/body.js';
import { createFairShare, type FairShare } from '../../src/http/fair-share.js';
import { route } from '../../src/http/route.js';
import { type SmallApp, startSmallApp } from '../support/small-app.js';

const MEBIBYTE = 1_048_576;
const thing = { method: 'post', tag: 'Things', summary: 'A thing', access: 'bearer', responses: {} } as const;
const body = Joi.object({ text: Joi.string() });
const ROUTES = [
  route({ ...thing, path: '/api/things/', body, handle: () => ({}) }),
  route({ ...thing, path: '/api/many_things/', body, bodyLimit: 2 * MEBIBYTE, handle: () => ({}) }),
];

describe('large bodies', () => {
  const asked = new EventEmitter();
  const oneAtOnce = createFairShare({ atOnce: 1, mostWaiting: null });
  const share: FairShare = (whose, work) => {
    const outcome = oneAtOnce(whose, work);
    asked.emit(whose.startsWith('large') ? 'large' : 'other');
    return outcome;
  };
  let app: SmallApp;
  before(async () => {
    app = await startSmallApp(ROUTES, { share });
  });
  after(() => app.close());

  const begin = (path: string, bytes: number) => {
    const headers = { authorization: 'Bearer admin', 'content-type': 'application/json', 'content-length': bytes };
    const begun = request(`${app.url}${path}`, { method: 'POST', headers });
    begun.on('error', () => undefined);
    begun.flushHeaders();
    return begun;
  };
  const whole = JSON.stringify({ text: 'x'.repeat(MEBIBYTE) });
  const statusOf = async (begun: ReturnType<typeof begin>, body: string): Promise<number> => {
    const answered = once(begun, 'response');
    begun.end(body);
    const [answer] = await answered;
    answer.resume();
    return answer.statusCode;
  };

  it('are read when it is the account’s turn, and keep none of its other requests from theirs', async () => {
    const first = once(asked, 'large');
    const slow = begin('/api/many_things/', whole.length);
    await first;
    const second = once(asked, 'large');
    const waiting = statusOf(begin('/api/many_things/', whole.length), whole);
    await second;

    const others = [
      await statusOf(begin('/api/things/', 2), '{}'),
      await statusOf(begin('/api/many_things/', 2), '{}'),
      await statusOf(begin('/api/things/', whole.length), whole),
    ];

    expect(others).to.deep.equal([200, 200, 413]);
    slow.destroy();
    expect(await waiting).to.equal(200);
  });

  it('end at once when their client left before their turn', async () => {
    const left = new IncomingMessage(new Socket());
    left.headers = { 'content-type': 'multipart/form-data; boundary=edge', 'content-length': '100' };
    left.destroy();
    const wish = { limit: 1000, mostValues: 1, mostMembers: 1, lists: new Set<string>() };

    const outcome = await readBody(left, 'multipart', wish).catch((error) => error);

    expect(outcome.code).to.equal('incomplete_body');
  });
});
