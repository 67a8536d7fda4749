import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { Secret, TOTP } from 'otpauth';
import { readConfig } from '../../src/platform/config.js';
import { createLogger } from '../../src/platform/log.js';
import { wire } from '../../src/wire.js';
import { createTestDatabase } from '../support/database.js';
import { makeScratchDirectory } from '../support/scratch.js';

const secret = (name: string): string => `${name}-${randomBytes(9).toString('hex')}`;

describe('the log at its most talkative', () => {
  it('has no secret and no whole phone number in it', async () => {
    const database = await createTestDatabase();
    const lines: string[] = [];
    const log = createLogger('trace', { write: (line: string) => void lines.push(line) });
    const keys = { JWT_SECRET: secret('jwt').padEnd(40, 'x'), ENCRYPTION_KEY: secret('box').padEnd(40, 'x') };
    const config = readConfig({ DATA_DIR: makeScratchDirectory(), PORT: '0', ...keys });
    const system = await wire({ config, databaseUrl: database.url, log });
    const url = await system.start();
    const told: string[] = [...Object.values(keys)];

    // biome-ignore lint/suspicious/noExplicitAny: whatever was answered
    async function ask(method: string, path: string, body?: unknown, token?: string): Promise<any> {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      if (body !== undefined) headers['content-type'] = 'application/json';
      const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
      const text = await (await fetch(new URL(path, url), { method, headers, ...sent })).text();
      return text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text;
    }

    const [password, wrong, next] = [secret('password'), secret('wrong'), secret('next')];
    const owner = {
      username: secret('user'),
      password,
      role: 'operator' as const,
      isActive: true,
      contactNumber: null,
    };
    await system.features.accounts.service.create({ name: 'Acme', owner });
    const { username } = owner;
    const numbers = ['+4930123456', '+12025550123', '+12025550199'];
    await ask('POST', '/api/token/', { username, password: wrong });
    await ask('POST', '/api/token/', `{"username":"${username}","password":"${wrong}`);
    const pair = await ask('POST', '/api/token/', { username, password });
    await ask('POST', '/api/token/refresh/', { refresh: pair.refresh });
    const me = { contact_number: numbers[0] };
    await ask('PATCH', '/api/users/me/', me, pair.access);
    const key = await ask('POST', '/api/api_keys/', { name: 'robot', scopes: ['numbers:read'] }, pair.access);
    await ask('GET', `/api/virtual_numbers/?search=${numbers[1]?.slice(1)}`, undefined, key.key);
    await ask('POST', '/api/virtual_numbers/', { phone_number: numbers[1] }, pair.access);
    await ask('POST', '/api/virtual_numbers/', { phone_number: numbers[1] }, pair.access);
    const credentials = { secret: `whsec_${randomBytes(24).toString('base64')}` };
    const carrier = await ask('POST', '/api/carriers/', { provider: 'generic', name: 'g', credentials }, pair.access);
    await ask('POST', `/webhooks/${carrier.id}/`, { type: 'call.initiated', from: numbers[2], to: numbers[1] });
    const inPath = secret('path');
    await ask('POST', `/webhooks/${carrier.id}/${inPath}/?token=${inPath}`, '{}');
    for (const path of ['api/virtual_numbers', 'api/nothing', 'queue'])
      await ask('GET', `/${path}/${numbers[1]}/`, undefined, pair.access);
    const order = { phone_numbers: [numbers[2]], subscriber: { name: 'Jane', pin: secret('pin') } };
    await ask('POST', '/api/port_orders/', order, pair.access);
    const begun = await ask('POST', '/api/users/me/two_factor/', { current_password: password }, pair.access);
    const otp = new TOTP({ secret: Secret.fromBase32(begun.secret) }).generate();
    const { recovery_codes: codes } = await ask('POST', '/api/users/me/two_factor/confirm/', { otp }, pair.access);
    const change = { current_password: password, new_password: next };
    const renewed = await ask('POST', '/api/users/me/password/', change, pair.access);
    await ask('GET', '/api/users/me/', undefined, `${renewed.access}x`);
    await system.close();
    await database.drop();

    told.push(password, wrong, next, pair.access, pair.refresh, renewed.access, key.key, credentials.secret, inPath);
    told.push(begun.secret, ...codes, order.subscriber.pin, ...numbers.map((number) => number.slice(1)));
    expect(lines.length).to.be.above(15);
    for (const one of told)
      expect(
        lines.filter((line) => line.includes(one)),
        one.slice(0, 12),
      ).to.deep.equal([]);
    // Nor in pieces: a token's signature, a password in a query.
    expect(lines.filter((line) => line.includes(pair.access.split('.')[2]))).to.deep.equal([]);
  });
});
