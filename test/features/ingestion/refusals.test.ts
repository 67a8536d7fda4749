import { expect } from 'chai';
import { startSystem, type TestSystem } from '../../support/system.js';
import { type Delivery, handClock, type Line, openLine, signedHeaders, urlOf } from './lines.js';
import { makePlayer, type Player, SCENARIO_PROVIDERS, scenariosOf, timedSteps } from './scenario-runs.js';

/** Providers that sign the URL, and those that sign a time. */
const SIGN_URL = ['twilio', 'plivo', 'signalwire', 'sinch'];
const SIGN_TIME = ['telnyx', 'vonage', 'jambonz', 'sinch', 'generic'];
const SIGN_BODY = ['twilio', 'telnyx', 'vonage', 'plivo', 'signalwire', 'jambonz', 'sinch', 'generic'];

const GENERIC: Delivery = { contentType: 'application/json', body: Buffer.from('{"type":"call.ringing"}') };

describe('the webhook door', function () {
  this.timeout(30_000);
  const clock = handClock(Date.now());
  let system: TestSystem;
  let player: Player;
  before(async () => {
    system = await startSystem({ clock });
    player = await makePlayer(system, clock);
  });
  after(() => system.stop());

  function sampleOf(provider: string): Delivery {
    const [scenario] = provider === 'generic' ? [] : scenariosOf(provider);
    const [step] = scenario ? timedSteps(scenario) : [];
    return step ? { contentType: step.contentType, body: step.body } : GENERIC;
  }

  function lastOf(provider: string): Delivery {
    const step = scenariosOf(provider)[0]?.steps.at(-1);
    return step ? { contentType: step.contentType, body: step.body } : GENERIC;
  }

  interface Attempt {
    readonly to: Line;
    readonly path?: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Buffer;
  }

  async function attempt({ to, path, headers, body }: Attempt) {
    const response = await fetch(urlOf(system, to, path), { method: 'POST', headers, body });
    const text = await response.text();
    return { status: response.status, text, challenge: response.headers.get('www-authenticate') };
  }

  const storedOf = async (line: Line): Promise<number> =>
    (await system.db('seen_webhooks').where({ carrier_id: line.id }).select('id')).length;

  for (const provider of [...SCENARIO_PROVIDERS, 'generic']) {
    it(`refuses what is signed for another carrier, body, URL or time, and stores none of it: ${provider}`, async () => {
      const [line, other] = [
        await openLine(system, player.admin, provider),
        await openLine(system, player.admin, provider),
      ];
      const sample = sampleOf(provider);
      const { body } = sample;
      const headers = signedHeaders(system, line, sample);
      const flipped = Buffer.from(body);
      flipped[flipped.length - 2] = (flipped[flipped.length - 2] ?? 0) ^ 1;
      const late = signedHeaders(system, line, { ...sample, at: clock.now() - 301_000 });
      const early = signedHeaders(system, line, { ...sample, at: clock.now() + 302_000 });

      const statuses = {
        otherCarrier: (await attempt({ to: other, headers, body })).status,
        unsigned: (await attempt({ to: line, headers: { 'content-type': sample.contentType }, body })).status,
        ...(SIGN_BODY.includes(provider) && { body: (await attempt({ to: line, headers, body: flipped })).status }),
        ...(SIGN_URL.includes(provider) && {
          url: (await attempt({ to: line, path: '/other', headers, body })).status,
        }),
        ...(SIGN_TIME.includes(provider) && {
          late: (await attempt({ to: line, headers: late, body })).status,
          early: (await attempt({ to: line, headers: early, body })).status,
        }),
      };

      expect([...new Set(Object.values(statuses))], JSON.stringify(statuses)).to.deep.equal([401]);
      expect([await storedOf(line), await storedOf(other)]).to.deep.equal([0, 0]);
      expect((await attempt({ to: line, headers, body })).status).to.be.within(200, 204);
      const refused = await system.ask('GET', `/api/carriers/${line.id}/`, { token: player.admin.token });
      expect(refused.body.refused_count).to.equal(Object.keys(statuses).length - 1);
      expect(refused.body.last_refused).to.include.keys('at', 'code', 'detail');
    });
  }

  it('answers what is no request for a document with nothing, in the status that the provider wants', async () => {
    const answers: Record<string, string> = {};
    for (const provider of ['plivo', 'telnyx']) {
      const line = await openLine(system, player.admin, provider);
      const { body, ...sample } = lastOf(provider);
      const headers = signedHeaders(system, line, { ...sample, body });
      const { status, text } = await attempt({ to: line, headers, body });
      answers[provider] = `${status} ${text}`;
    }

    expect(answers).to.deep.equal({ plivo: '200 ', telnyx: '204 ' });
  });

  it('asks for Basic where the provider signs in, and nowhere else', async () => {
    const challenges: Record<string, string | null> = {};
    for (const provider of [...SCENARIO_PROVIDERS, 'generic']) {
      const line = await openLine(system, player.admin, provider);
      const { contentType, body } = sampleOf(provider);
      challenges[provider] = (await attempt({ to: line, headers: { 'content-type': contentType }, body })).challenge;
    }

    const asked = Object.entries(challenges).filter(([, challenge]) => challenge !== null);
    expect(asked.map(([provider]) => provider).sort()).to.deep.equal(['bandwidth', 'freeswitch']);
    for (const [, challenge] of asked) expect(challenge).to.match(/^Basic realm=/);
  });

  it('takes either of two secrets while one is being changed, and then the new one alone', async () => {
    const line = await openLine(system, player.admin, 'generic');
    const next = await openLine(system, player.admin, 'generic');
    const { token } = player.admin;
    const [old, fresh] = [line.signer.credentials.secret, next.signer.credentials.secret];
    const byNew = () => attempt({ to: line, headers: signedHeaders(system, next, GENERIC), body: GENERIC.body });
    const byOld = () => attempt({ to: line, headers: signedHeaders(system, line, GENERIC), body: GENERIC.body });
    const change = async (secret: unknown): Promise<void> => {
      await system.ask('PATCH', `/api/carriers/${line.id}/`, { token, body: { credentials: { secret } } });
      // A line is at most a second old.
      clock.set(clock.now() + 2000);
    };

    const before = [(await byOld()).status, (await byNew()).status];
    await change([fresh, old]);
    const between = [(await byOld()).status, (await byNew()).status];
    await change(fresh);
    const after = [(await byOld()).status, (await byNew()).status];

    expect({ before, between, after }).to.deep.equal({ before: [204, 401], between: [204, 204], after: [401, 204] });
  });

  it('answers GET with 405, an unknown or deleted carrier with 404, and what cannot be read with 400', async () => {
    const line = await openLine(system, player.admin, 'generic');
    const gone = await openLine(system, player.admin, 'generic');
    await system.ask('DELETE', `/api/carriers/${gone.id}/`, { token: player.admin.token });
    clock.set(clock.now() + 2000);
    const nonsense = { ...GENERIC, body: Buffer.from('not json') };
    const large = { ...GENERIC, body: Buffer.alloc(262_145, 0x20) };

    const got = await fetch(urlOf(system, line));

    expect([got.status, got.headers.get('allow')]).to.deep.equal([405, 'POST']);
    expect(
      (await attempt({ to: gone, headers: signedHeaders(system, gone, GENERIC), body: GENERIC.body })).status,
    ).to.equal(404);
    expect((await attempt({ to: { ...line, id: 'x' }, headers: {}, body: GENERIC.body })).status).to.equal(404);
    const unread = await attempt({ to: line, headers: signedHeaders(system, line, nonsense), body: nonsense.body });
    expect(unread.status).to.equal(400);
    expect(
      (await attempt({ to: line, headers: signedHeaders(system, line, large), body: large.body })).status,
    ).to.equal(413);
    expect(await storedOf(line)).to.equal(0);
  });
});
