import { expect } from 'chai';
import { Secret, TOTP } from 'otpauth';
import { createLogger } from '../../src/platform/log.js';
import { startSystem } from '../support/system.js';

describe('a new encryption key', () => {
  it('opens everything after the rotation, without the one before', async () => {
    const first = await startSystem({ env: { ENCRYPTION_KEY: 'a'.repeat(40) } });
    const admin = await first.createAdmin();
    const post = (path: string, body: unknown) => first.ask('POST', path, { token: admin.token, body });
    const credentials = {
      secret: `whsec_${Buffer.from('a secret of the carrier line, long enough').toString('base64')}`,
    };
    const carrier = await post('/api/carriers/', { provider: 'generic', name: 'line', credentials });
    const subscriber = { name: 'Jane', pin: '1234', account_number: '42' };
    expect(carrier.status).to.equal(201);
    const order = await post('/api/port_orders/', { phone_numbers: ['+12025550150'], subscriber });
    const erased = await post('/api/erasures/', { phone_number: '+12025550151' });
    expect(erased.status).to.equal(202);
    const begun = await post('/api/users/me/two_factor/', { current_password: admin.password });
    const totp = new TOTP({ secret: Secret.fromBase32(begun.body.secret) });
    await post('/api/users/me/two_factor/confirm/', { otp: totp.generate() });

    const between = { ENCRYPTION_KEY: 'b'.repeat(40), ENCRYPTION_KEY_PREVIOUS: 'a'.repeat(40) };
    const second = await startSystem({ beside: first, env: between });
    const { carriers, porting, twoFactor, erasure } = second.system.features;
    const kinds = [carriers.service.reseal, porting.reseal, twoFactor.service.reseal];
    const rotated = [];
    for (const reseal of kinds) rotated.push(await reseal());
    for (const reseal of kinds) rotated.push(await reseal());
    const erasures = [await erasure.reseal(), await erasure.reseal()];
    await second.stop();

    expect(rotated.map(({ resealed }) => resealed)).to.deep.equal([1, 1, 1, 0, 0, 0]);
    expect(rotated.flatMap(({ unreadable }) => unreadable)).to.deep.equal([]);
    expect(erasures.map(({ resealed, looked }) => [resealed, looked > 0])).to.deep.equal([
      [erasures[0]?.looked, true],
      [0, true],
    ]);
    const third = await startSystem({ beside: first, env: { ENCRYPTION_KEY: 'b'.repeat(40) } });
    const otp = totp.generate({ timestamp: Date.now() + 30_000 });
    const login = { username: admin.username, password: admin.password, otp };
    const signedIn = await third.ask('POST', '/api/token/', { body: login });
    const shown = await third.ask('GET', `/api/port_orders/${order.body.id}/`, { token: signedIn.body.access });
    const changed = await third.ask('PATCH', `/api/carriers/${carrier.body.id}/`, {
      token: signedIn.body.access,
      body: { credentials },
    });
    const again = await third.ask('POST', '/api/erasures/', {
      token: signedIn.body.access,
      body: { phone_number: '+12025550151' },
    });
    await third.stop();
    await first.stop();
    expect(signedIn.status).to.equal(200);
    expect(shown.body.subscriber.account_number).to.equal('42');
    expect(changed.status).to.equal(200);
    expect(again.status).to.equal(202);
  });

  it('without the one before leaves what it cannot open, and tells of each, and of how many at the start', async () => {
    const first = await startSystem({ env: { ENCRYPTION_KEY: 'a'.repeat(40) } });
    const admin = await first.createAdmin();
    const credentials = { username: 'line', password: 'a password of the line' };
    const ids: string[] = [];
    for (let i = 0; i < 101; i += 1) {
      const body = { provider: 'bandwidth', name: `line ${i}`, credentials };
      ids.push((await first.ask('POST', '/api/carriers/', { token: admin.token, body })).body.id);
    }

    const lines: string[] = [];
    const log = createLogger('error', { write: (line: string) => void lines.push(line) });

    await (await startSystem({ beside: first, log })).stop();
    const withRightKey = lines.splice(0);
    const second = await startSystem({ beside: first, env: { ENCRYPTION_KEY: 'c'.repeat(40) }, log });
    const { looked, resealed, unreadable } = await second.system.features.carriers.service.reseal();
    await second.stop();
    await first.stop();

    expect(withRightKey).to.deep.equal([]);
    expect(lines.map((line) => JSON.parse(line).carriers)).to.deep.equal([101]);
    expect(lines[0]).to.include('ENCRYPTION_KEY');
    expect([looked, resealed]).to.deep.equal([101, 0]);
    expect(unreadable).to.have.members(ids);
  });
});
