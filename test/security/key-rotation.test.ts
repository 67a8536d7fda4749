import { expect } from 'chai';
import { Secret, TOTP } from 'otpauth';
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
    const begun = await post('/api/users/me/two_factor/', { current_password: admin.password });
    const totp = new TOTP({ secret: Secret.fromBase32(begun.body.secret) });
    await post('/api/users/me/two_factor/confirm/', { otp: totp.generate() });

    const between = { ENCRYPTION_KEY: 'b'.repeat(40), ENCRYPTION_KEY_PREVIOUS: 'a'.repeat(40) };
    const second = await startSystem({ beside: first, env: between });
    const { carriers, porting, twoFactor } = second.system.features;
    const kinds = [carriers.service.reseal, porting.reseal, twoFactor.service.reseal];
    const rotated = [];
    for (const reseal of kinds) rotated.push(await reseal());
    for (const reseal of kinds) rotated.push(await reseal());
    await second.stop();

    expect(rotated.map(({ resealed }) => resealed)).to.deep.equal([1, 1, 1, 0, 0, 0]);
    expect(rotated.flatMap(({ unreadable }) => unreadable)).to.deep.equal([]);
    const third = await startSystem({ beside: first, env: { ENCRYPTION_KEY: 'b'.repeat(40) } });
    const otp = totp.generate({ timestamp: Date.now() + 30_000 });
    const login = { username: admin.username, password: admin.password, otp };
    const signedIn = await third.ask('POST', '/api/token/', { body: login });
    const shown = await third.ask('GET', `/api/port_orders/${order.body.id}/`, { token: signedIn.body.access });
    const changed = await third.ask('PATCH', `/api/carriers/${carrier.body.id}/`, {
      token: signedIn.body.access,
      body: { credentials },
    });
    await third.stop();
    await first.stop();
    expect(signedIn.status).to.equal(200);
    expect(shown.body.subscriber.account_number).to.equal('42');
    expect(changed.status).to.equal(200);
  });
});
