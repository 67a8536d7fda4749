import { join } from 'node:path';
import { expect } from 'chai';
import { ensureBuilt } from '../support/built.js';
import { type Installation, install } from '../support/installation.js';
import { makeScratchDirectory } from '../support/scratch.js';
import { until } from '../support/until.js';

describe('npm start on a bare machine', function () {
  this.timeout(180_000);
  let installation: Installation;
  before(async () => {
    await ensureBuilt();
    installation = await install();
  });

  it('takes over after kill -9 of everything in the middle of calls, with nothing missing or double', async () => {
    const journal = join(makeScratchDirectory(), 'run.ndjson');
    await installation.start();
    try {
      const run = installation.simulate(
        '--calls',
        '60',
        '--rate',
        '40',
        '--provider',
        'generic,twilio',
        '--out',
        journal,
      );
      await until('webhooks are on their way', () => /\d\d of \d+ webhooks sent/.test(run.text()), 30_000);

      await installation.kill();
      await installation.start();
      const sent = await run.ended;
      const verified = await installation.simulate('--verify-only', journal).ended;

      expect(sent.code, sent.text).to.equal(0);
      expect(verified.text).to.contain('60 of 60 call logs right');
      expect(verified.code).to.equal(0);
    } finally {
      await installation.stop();
    }
  });

  it('runs beside another one', async () => {
    const both = [installation, await install()];
    await Promise.all(both.map((one) => one.start()));
    try {
      const runs = both.map((one) => one.simulate('--calls', '20', '--rate', '50', '--verify').ended);

      for (const { code, text } of await Promise.all(runs)) {
        expect(text).to.contain('20 of 20 call logs right');
        expect(code).to.equal(0);
      }
    } finally {
      const codes = await Promise.all(both.map((one) => one.stop()));
      expect(codes).to.deep.equal([0, 0]);
    }
  });

  it('says what is wrong with what a command was given', async () => {
    const made = await installation.command('create-operator', 'anna').ended;
    const refused = await installation.command('create-operator', 'anna').ended;

    expect(made.code).to.equal(0);
    expect(made.text).to.match(/username: anna\n {2}password: \S+\n$/);
    expect(refused).to.deep.equal({
      code: 1,
      text: 'The request has invalid members.\n  username: A user with that username already exists.\n',
    });
  });

  it('does nothing for a command that is asked for help, or given what it does not take', async () => {
    const said = async (...args: string[]) => installation.command(...args).ended;
    const bad = { code: 1 };

    expect(await said('create-operator', '--help')).to.deep.equal({
      code: 0,
      text: 'Usage: switchboard create-operator <username>\n\nMakes an operator in an account of their own and prints the password, once.\n',
    });
    expect((await said('rebuild-calls', '-h')).text).to.match(
      /^Usage: switchboard rebuild-calls \[--dry-run\] \[--account/,
    );
    expect((await said('-h')).text).to.match(/^Usage: switchboard <command>/);
    for (const args of [
      ['rotate-keys', '--dry-run'],
      ['after-restore', 'now'],
      ['create-operator', 'a', 'b'],
    ])
      expect(await said(...args), args.join(' ')).to.include(bad);
    const nameless = await said('create-operator', 'x'.repeat(151));
    expect(nameless).to.include(bad);
    expect(nameless.text).to.match(/ {2}username: Ensure this field has no more than 150 characters\./);
  });
});
