import { expect } from 'chai';
import type { Knex } from 'knex';
import { Secret, TOTP } from 'otpauth';
import { createSecondFactors } from '../../../src/features/two-factor/second-factors.js';
import { until } from '../../support/until.js';
import { type Answer, type Bed, type Person, startBed } from '../accounts/bed.js';

const STEP = 30;

describe('two-factor sign-in', () => {
  let bed: Bed;
  before(async () => {
    bed = await startBed();
  });
  after(() => bed.stop());

  const clock = () => bed.product.system.platform.clock.now();
  const codeOf = (secret: string, steps = 0): string =>
    new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: clock() + steps * STEP * 1000 });
  const login = ({ username, password }: Person, otp?: unknown): Promise<Answer> =>
    bed.ask('POST', '/api/token/', { json: { username, password, ...(otp === undefined ? {} : { otp }) } });
  const own = (person: Person, path: string, json: unknown): Promise<Answer> =>
    bed.ask('POST', `/api/users/me/two_factor/${path}`, { token: person.access, json });

  /** Switched on, with the next step not used yet. */
  async function enrolled(person: Person): Promise<{ secret: string; codes: string[] }> {
    const begun = await own(person, '', { current_password: person.password });
    const confirmed = await own(person, 'confirm/', { otp: codeOf(begun.body.secret) });
    expect(confirmed.status).to.equal(200);
    bed.advance(STEP);
    return { secret: begun.body.secret, codes: confirmed.body.recovery_codes };
  }

  it('is off until a code was confirmed, and `otp` is passed over', async () => {
    const demo = await bed.person();

    const begun = await own(demo, '', { current_password: demo.password });

    expect(begun.status).to.equal(201);
    expect(begun.body.otpauth_url).to.match(/^otpauth:\/\/totp\/Switchboard:/);
    expect((await login(demo)).status).to.equal(200);
    expect((await login(demo, { any: ['thing'] })).status).to.equal(200);
    const wrong = await own(demo, 'confirm/', { otp: '000000' });
    expect(wrong.status).to.equal(400);
    expect(wrong.body.otp).to.deep.equal(['The one-time code is wrong, or was used already.']);
  });

  it('asks for a code beside the password once it is on', async () => {
    const demo = await bed.person();
    const { secret } = await enrolled(demo);

    const without = await login(demo);
    const withCode = await login(demo, codeOf(secret));

    expect([without.status, without.body.code]).to.deep.equal([401, 'otp_required']);
    expect(withCode.status).to.equal(200);
    expect(withCode.body).to.have.all.keys('access', 'refresh');
    const wrongPassword = await login({ ...demo, password: 'a wrong one' }, codeOf(secret, 1));
    expect(wrongPassword.body.code).to.equal('no_active_account');
  });

  it('takes a code once, also of many that come at the same moment', async () => {
    const demo = await bed.person();
    const { secret } = await enrolled(demo);
    const code = codeOf(secret);

    const answers = await Promise.all(Array.from({ length: 5 }, () => login(demo, code)));

    expect(answers.filter(({ status }) => status === 200)).to.have.lengthOf(1);
    const again = await login(demo, code);
    expect([again.status, again.body.code]).to.deep.equal([401, 'otp_invalid']);
    expect((await login(demo, codeOf(secret, 1))).status, 'a clock that is 30 s ahead').to.equal(200);
    expect((await login(demo, codeOf(secret))).status, 'a step before one that was used').to.equal(401);
    expect((await login(demo, codeOf(secret, 3))).status).to.equal(401);
  });

  it('takes each recovery code once', async () => {
    const demo = await bed.person();
    const { codes } = await enrolled(demo);
    const [first = '', second = ''] = codes;

    expect(new Set(codes).size).to.equal(10);
    expect((await login(demo, first)).status).to.equal(200);
    expect((await login(demo, first)).body.code).to.equal('otp_invalid');
    expect((await login(demo, second.toUpperCase().replaceAll('-', ' '))).status).to.equal(200);
    const status = await bed.ask('GET', '/api/users/me/two_factor/', { token: demo.access });
    expect(status.body).to.deep.include({ enabled: true, required: false, recovery_codes_left: 8 });
  });

  it('changes recovery codes and goes off by password and code alone', async () => {
    const demo = await bed.person();
    const { secret, codes } = await enrolled(demo);
    const evidence = (otp: string, current_password = demo.password) => ({ current_password, otp });

    const denied = await own(demo, 'recovery_codes/', evidence(codeOf(secret), 'a wrong one'));
    const renewed = await own(demo, 'recovery_codes/', evidence(codeOf(secret)));
    bed.advance(STEP);
    const wrong = await own(demo, 'disable/', evidence('000000'));
    const off = await own(demo, 'disable/', evidence(codeOf(secret)));

    expect(denied.body.current_password).to.deep.equal(['This is not the current password.']);
    expect(renewed.body.recovery_codes).to.have.lengthOf(10).and.not.include(codes[0]);
    expect([wrong.status, off.status]).to.deep.equal([400, 204]);
    expect((await login(demo)).status).to.equal(200);
  });

  /** Lets requests come while `hold` holds what they need, until so many wait for it or for one another; then `look`s. */
  async function askHeld<T>(
    waiting: number,
    hold: (tx: Knex) => Promise<unknown>,
    ask: () => Promise<T>,
    look?: () => Promise<unknown>,
  ): Promise<T> {
    const { db } = bed.product.system.platform;
    const held = await db.transaction(async (tx) => {
      await hold(tx);
      const asked = ask();
      await until(`${waiting} wait`, async () => {
        const { rows } = await db.raw(
          `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
        );
        return rows.length === waiting;
      });
      await look?.();
      return { asked };
    });
    return held.asked;
  }

  it('leaves one set of recovery codes when two are asked for at once', async () => {
    const demo = await bed.person();
    const { codes } = await enrolled(demo);
    const renew = (otp = '') => own(demo, 'recovery_codes/', { current_password: demo.password, otp });

    const renewed = await askHeld(
      2,
      (tx) => tx('user_two_factor').where({ user_id: demo.id }).forUpdate().first('user_id'),
      () => Promise.all([renew(codes[0]), renew(codes[1])]),
    );

    const status = await bed.ask('GET', '/api/users/me/two_factor/', { token: demo.access });
    expect(renewed.map((answer) => answer.status)).to.deep.equal([200, 200]);
    expect(status.body.recovery_codes_left).to.equal(10);
  });

  it('is not on before its recovery codes are kept', async () => {
    const demo = await bed.person();
    const begun = await own(demo, '', { current_password: demo.password });

    const early: Answer[] = [];
    const confirmed = await askHeld(
      1,
      (tx) => tx.raw('lock table user_recovery_codes in exclusive mode'),
      () => own(demo, 'confirm/', { otp: codeOf(begun.body.secret) }),
      async () => early.push(await bed.ask('GET', '/api/users/me/two_factor/', { token: demo.access })),
    );

    expect(early[0]?.body.enabled).to.equal(false);
    expect(confirmed.body.recovery_codes).to.have.lengthOf(10);
  });

  it('keeps secrets sealed and recovery codes hashed', async () => {
    const demo = await bed.person();
    const { secret, codes } = await enrolled(demo);

    const stored = await bed.db('user_two_factor').where({ user_id: demo.id }).first();
    const hashes = await bed.db('user_recovery_codes').where({ user_id: demo.id });

    expect(stored.secret).to.match(/^v1\./).and.not.include(secret);
    expect(JSON.stringify(hashes)).to.not.include(codes[0]);
    const audit = await bed.ask('GET', '/api/audit_log/', { token: demo.access });
    for (const told of [secret, ...codes]) expect(JSON.stringify(audit.body)).to.not.include(told);
  });

  it('is switched off by an admin for a colleague who lost it, and by nobody for themselves', async () => {
    const admin = await bed.person();
    const member = await bed.colleague(admin);
    await enrolled(member);
    const reset = (by: Person, id: string) => bed.ask('DELETE', `/api/users/${id}/two_factor/`, { token: by.access });

    expect((await reset(member, admin.id)).status).to.equal(403);
    expect((await reset(await bed.person(), member.id)).status).to.equal(404);
    expect((await reset(admin, admin.id)).body.code).to.equal('own_two_factor');
    expect((await reset(admin, member.id)).status).to.equal(204);
    expect((await login(member)).status).to.equal(200);
  });

  it('may be demanded by the account: who has none is signed out and sets one up', async () => {
    const admin = await bed.person();
    const member = await bed.colleague(admin);
    const demand = (required: boolean) =>
      bed.ask('PUT', '/api/accounts/me/two_factor/', { token: admin.access, json: { required } });

    expect((await demand(true)).body.code).to.equal('two_factor_not_enabled');
    const { secret } = await enrolled(admin);
    expect((await demand(true)).body).to.deep.equal({ required: true });

    expect(await bed.status(admin.access)).to.equal(200);
    expect(await bed.status(member.access)).to.equal(401);
    expect((await login(member)).body.code).to.equal('two_factor_enrolment_required');
    const { username, password } = member;
    const begun = await bed.ask('POST', '/api/token/two_factor/', { json: { username, password } });
    expect(begun.status).to.equal(201);
    expect((await login(member, '000000')).body.code).to.equal('otp_invalid');
    expect((await login(member, codeOf(begun.body.secret))).status).to.equal(200);
    expect((await login(member)).body.code).to.equal('otp_required');
    expect((await bed.ask('POST', '/api/token/two_factor/', { json: { username, password } })).status).to.equal(409);
    const off = await own(admin, 'disable/', { current_password: admin.password, otp: codeOf(secret) });
    expect(off.body.code).to.equal('two_factor_demanded');
  });

  it('is sealed anew when the key is rotated', async () => {
    const demo = await bed.person();
    const { secret } = await enrolled(demo);
    const { service } = bed.product.system.features.twoFactor;

    expect((await service.reseal()).resealed).to.equal(0);
    expect((await login(demo, codeOf(secret))).status).to.equal(200);
  });
});

describe('wrong one-time codes', () => {
  let bed: Bed;
  before(async () => {
    bed = await startBed({ RATE_LIMITS: 'on', TRUST_PROXY: 'on' });
  });
  after(() => bed.stop());

  async function enrolled(): Promise<{ person: Person; codes: string[] }> {
    const person = await bed.person();
    const own = (path: string, json: unknown) =>
      bed.ask('POST', `/api/users/me/two_factor/${path}`, { token: person.access, json });
    const begun = await own('', { current_password: person.password });
    const otp = new TOTP({ secret: Secret.fromBase32(begun.body.secret) }).generate();
    return { person, codes: (await own('confirm/', { otp })).body.recovery_codes };
  }

  /** From an address of its own. */
  const login = ({ username, password }: Person, i: number, otp = '000000') =>
    bed.ask('POST', '/api/token/', {
      json: { username, password, otp },
      headers: { 'x-forwarded-for': `192.0.2.${i}` },
    });

  it('are ten in ten minutes for a user, whatever their address', async () => {
    const { person } = await enrolled();

    const statuses = [];
    for (let i = 0; i < 12; i++) statuses.push((await login(person, i)).status);

    expect(statuses).to.deep.equal([...Array(10).fill(401), 429, 429]);
  });

  it('are not one more when they come at once', async () => {
    const { id } = await bed.person();
    const { bounded } = createSecondFactors(bed.product.system.platform);

    const guesses = await Promise.allSettled(Array.from({ length: 20 }, () => bounded(id, async () => false)));

    expect(guesses.filter(({ status }) => status === 'fulfilled')).to.have.lengthOf(10);
  });

  it('do not keep out the owner, who has recovery codes', async () => {
    const { person, codes } = await enrolled();
    for (let i = 0; i < 10; i++) await login(person, i);

    expect((await login(person, 20)).status).to.equal(429);
    expect((await login(person, 20, codes[0])).status).to.equal(200);
    expect((await login(person, 20, codes[0])).status).to.equal(429);
  });
});
