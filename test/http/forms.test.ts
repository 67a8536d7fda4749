import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import Joi from 'joi';
import { route } from '../../src/http/route.js';
import { type SmallApp, startSmallApp } from '../support/small-app.js';

const MEBIBYTE = 1_048_576;
const BOUNDARY = 'edge';
const part = (name: string, value: string): string =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const form = (...parts: string[]): string => `${parts.join('')}--${BOUNDARY}--\r\n`;

describe('the body of a form', () => {
  let app: SmallApp;
  before(async () => {
    app = await startSmallApp([
      route({
        ...{ method: 'post', path: '/api/forms/', tag: 'Things', summary: 'A form', access: 'public', responses: {} },
        accepts: ['form', 'multipart', 'csv'],
        unknownBody: 'ignore',
        body: Joi.object({ name: Joi.string() }),
        handle: ({ body }) => body,
      }),
    ]);
  });
  after(() => app.close());

  async function post(type: string, body: string | Buffer, isChunked = false) {
    const length = isChunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': Buffer.byteLength(body) };
    const asked = request(`${app.url}/api/forms/`, { method: 'POST', headers: { 'content-type': type, ...length } });
    const answered = new Promise<{ status: number | undefined; body: unknown }>((resolve, reject) => {
      asked.on('response', (answer) => {
        text(answer).then((told) => resolve({ status: answer.statusCode, body: JSON.parse(told) }), reject);
      });
      asked.on('error', reject);
    });
    asked.end(body);
    return answered;
  }
  const MULTIPART = `multipart/form-data; boundary=${BOUNDARY}`;

  for (const isChunked of [false, true]) {
    it(`may have one mebibyte ${isChunked ? 'in chunks' : 'whose length is told'}, and not a byte more`, async () => {
      const others = form(part('name', 'a'), part('x', '')).length;
      const ofSize = (bytes: number) =>
        post(MULTIPART, form(part('name', 'a'), part('x', 'x'.repeat(bytes - others))), isChunked);

      expect(await ofSize(MEBIBYTE)).to.deep.equal({ status: 200, body: { name: 'a' } });
      const { status, body } = await ofSize(MEBIBYTE + 1);
      expect(status).to.equal(413);
      expect(body).to.include({ code: 'body_too_large' });
    });
  }

  it('may have a thousand fields, and says so when there are more', async () => {
    const unknown = Array.from({ length: 999 }, (_, place) => part(`unknown${place}`, 'x'));

    expect(await post(MULTIPART, form(...unknown, part('name', 'last')))).to.deep.equal({
      ...{ status: 200, body: { name: 'last' } },
    });
    const { status, body } = await post(MULTIPART, form(...unknown, part('more', 'x'), part('name', 'last')));
    expect(status).to.equal(400);
    expect(body).to.include({ code: 'parse_error', detail: 'A form may have 1000 fields and 5 files at most.' });
  });

  it('may have as many when it is urlencoded', async () => {
    const post1000 = (more: string) => post('application/x-www-form-urlencoded', `${'unknown=x&'.repeat(999)}${more}`);

    expect(await post1000('name=last')).to.deep.equal({ status: 200, body: { name: 'last' } });
    const { status, body } = await post1000('more=x&name=last');
    expect(status).to.equal(400);
    expect(body).to.include({ code: 'parse_error', detail: 'A form may have 1000 fields and 5 files at most.' });
  });

  for (const type of ['application/x-www-form-urlencoded', 'text/csv']) {
    it(`is refused when it is ${type} and not UTF-8`, async () => {
      const { status, body } = await post(type, Buffer.from('name=caf\xe9', 'latin1'));

      expect(status).to.equal(400);
      expect(body).to.include({ code: 'parse_error', detail: 'The body is not UTF-8.' });
    });
  }
});
