import type { IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { createConnectionLimits } from '../../../src/features/live/connection-limits.js';

const request = (remoteAddress: string, forwarded?: string): IncomingMessage =>
  ({ headers: { 'x-forwarded-for': forwarded }, socket: { remoteAddress } }) as unknown as IncomingMessage;

describe('connection limits', () => {
  const settings = { perUser: 1, perAddress: 1 };

  it('goes by what the proxy says alone, and only behind one', () => {
    const proxied = createConnectionLimits({ ...settings, trustProxy: true });
    const direct = createConnectionLimits({ ...settings, trustProxy: false });
    const asked = request('10.0.0.1', '203.0.113.9, 192.0.2.1');

    expect(proxied.addressOf(asked)).to.equal('192.0.2.1');
    expect(proxied.addressOf(request('10.0.0.1'))).to.equal('10.0.0.1');
    expect(direct.addressOf(asked)).to.equal('10.0.0.1');
  });

  it('takes all addresses of one IPv6 network as one', () => {
    const limits = createConnectionLimits({ ...settings, trustProxy: false });
    const [first, second] = ['2001:db8:1:2::1', '2001:db8:1:2:3:4:5:6'].map((ip) => limits.addressOf(request(ip)));

    expect(first).to.equal(second);
  });

  it('gives a place back once, however often that is said', () => {
    const limits = createConnectionLimits({ ...settings, perAddress: 2, trustProxy: false });
    const [release] = [limits.takeAddress('a'), limits.takeAddress('a')];

    expect(limits.takeAddress('a')).to.equal(null);
    release?.();
    release?.();
    expect(limits.takeAddress('a')).to.be.a('function');
    expect(limits.takeAddress('a')).to.equal(null);
  });
});
