import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { NO_TRACING, openTracing } from '../../src/platform/tracing.js';

describe('traces', () => {
  it('are none without an address', async () => {
    expect(await openTracing(null, '1')).to.equal(NO_TRACING);
    expect(await NO_TRACING.span({ name: 'work' }, async () => 7)).to.equal(7);
  });

  it('go to the receiver, with their parents and what went wrong', async () => {
    const paths: string[] = [];
    const bodies: Buffer[] = [];
    const receiver = createServer((request, response) => {
      paths.push(request.url ?? '');
      request.on('data', (chunk) => bodies.push(chunk));
      request.on('end', () => response.end('{}'));
    });
    await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done));
    const tracing = await openTracing(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`, '1.2.3');
    const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };

    const failed = await tracing
      .span({ name: 'GET', kind: 'server', headers }, async (note) => {
        note.rename('GET /somewhere/');
        return tracing.span({ name: 'inner work' }, () => Promise.reject(new Error('it broke')));
      })
      .catch((error: Error) => error.message);
    await tracing.close();
    await new Promise((done) => receiver.close(done));

    expect(failed).to.equal('it broke');
    expect(new Set(paths)).to.deep.equal(new Set(['/v1/traces']));
    const sent = JSON.parse(Buffer.concat(bodies).toString('utf8'));
    const spans = sent.resourceSpans[0].scopeSpans[0].spans as {
      name: string;
      traceId: string;
      parentSpanId: string;
    }[];
    const [inner, outer] = ['inner work', 'GET /somewhere/'].map((name) => spans.find((span) => span.name === name));
    expect(outer?.traceId).to.equal('0af7651916cd43dd8448eb211c80319c');
    expect(outer?.parentSpanId).to.equal('b7ad6b7169203331');
    expect(inner?.traceId).to.equal(outer?.traceId);
  });
});
