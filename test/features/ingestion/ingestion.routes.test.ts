import { expect } from 'chai';
import Koa from 'koa';
import { carrierUnavailable } from '../../../src/features/carriers/carriers.errors.js';
import { webhookDoor } from '../../../src/features/ingestion/ingestion.routes.js';
import type { IngestionService } from '../../../src/features/ingestion/ingestion.service.js';
import { problems } from '../../../src/http/problem.js';
import { createHttpServer, type HttpServer } from '../../../src/http/server.js';
import { newId } from '../../../src/lib/ids.js';
import { createLogger } from '../../../src/platform/log.js';

describe('the webhook door, before a carrier is known', () => {
  const lines: string[] = [];
  let http: HttpServer;
  let url: string;
  let findLine: IngestionService['findLine'];
  before(async () => {
    const receive = () => Promise.reject(new Error('Nothing is received here.'));
    const app = new Koa();
    app.use(async (ctx, next) => {
      ctx.state = { facts: {}, requestId: 'r' };
      await next();
    });
    app.use(problems(createLogger('info', { write: (line: string) => void lines.push(line) })));
    app.use(webhookDoor({ findLine: (id) => findLine(id), receive }, () => url));
    http = createHttpServer(app.callback());
    url = `http://127.0.0.1:${await http.listen('127.0.0.1', 0)}`;
  });
  after(() => http.close());

  const ask = async (method: string, id = newId()) => {
    const answer = await fetch(`${url}/webhooks/${id}/`, { method });
    return [answer.status, answer.headers.get('retry-after')];
  };

  it('says first, whatever the method, that the carrier cannot be looked up', async () => {
    findLine = () => Promise.reject(carrierUnavailable(new Error('away')));

    expect(await ask('POST')).to.deep.equal([503, '5']);
    expect(await ask('GET')).to.deep.equal([503, '5']);
    // Once a minute, and to nobody but the log.
    expect(lines.map((line) => JSON.parse(line))).to.have.lengthOf(1);
    expect(JSON.parse(lines[0] ?? '')).to.include({ level: 'warn', msg: 'carrier_unavailable' });
    expect(lines[0]).to.include('"message":"away"');
  });

  it('says then that the method is wrong, and then that there is no such carrier', async () => {
    findLine = () => Promise.resolve(null);

    expect(await ask('GET')).to.deep.equal([405, null]);
    expect(await ask('GET', 'none')).to.deep.equal([405, null]);
    expect(await ask('POST')).to.deep.equal([404, null]);
    expect(await ask('POST', 'none')).to.deep.equal([404, null]);
  });
});
