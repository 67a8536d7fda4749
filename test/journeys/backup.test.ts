import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { connectLive } from '../../src/client/index.js';
import { ensureBuilt } from '../support/built.js';
import { createTestDatabase } from '../support/database.js';
import { install } from '../support/installation.js';
import { makeScratchDirectory } from '../support/scratch.js';
import { startSystem } from '../support/system.js';

const hasDump = spawnSync('pg_dump', ['--version'], { stdio: 'ignore' }).status === 0;

describe('backup and restore', function () {
  this.timeout(180_000);
  before(ensureBuilt);

  it('copies an embedded installation while it works, and the copy goes on where clients cannot be misled', async () => {
    const installation = await install();
    const copy = join(makeScratchDirectory(), 'copy');
    const journal = join(makeScratchDirectory(), 'run.ndjson');
    await installation.start();
    await installation.simulate('--calls', '15', '--rate', '60', '--provider', 'generic', '--out', journal).ended;
    const load = installation.simulate('--calls', '40', '--rate', '40', '--provider', 'generic');

    const copied = await installation.command('backup', copy).ended;
    await load.ended;
    await installation.stop();
    const restored = await install({ dataDir: copy });
    const told = await restored.command('after-restore').ended;
    await restored.start();
    try {
      const verified = await restored.simulate('--verify-only', journal, '--url', restored.url).ended;
      const more = await restored.simulate('--calls', '10', '--rate', '60', '--verify').ended;

      expect(copied.text).to.contain('while its database ran');
      expect(told.text).to.contain('1,000,000 further');
      expect(verified.text).to.contain('15 of 15 call logs right');
      expect(more.text).to.contain('10 of 10 call logs right');
    } finally {
      await restored.stop();
    }
  });

  it('brings an outside database over by pg_dump and pg_restore', async function () {
    if (!hasDump) this.skip();
    const file = join(makeScratchDirectory(), 'switchboard.dump');
    const source = await startSystem();
    const admin = await source.createAdmin();
    await source.ask('POST', '/api/virtual_numbers/', { token: admin.token, body: { phone_number: '+4930123456' } });
    const target = await createTestDatabase();

    const dumped = spawnSync('pg_dump', ['--format=custom', '--file', file, source.database.url], { encoding: 'utf8' });
    if (/server version mismatch/.test(dumped.stderr)) {
      await source.stop();
      await target.drop();
      this.skip();
    }
    spawnSync('pg_restore', ['--clean', '--if-exists', '--no-owner', '--dbname', target.url, file]);
    const restored = await startSystem({ env: { ...source.env, DATABASE_URL: target.url } });
    await restored.system.features.events.afterRestore();

    const numbers = await restored.ask('GET', '/api/virtual_numbers/', { token: admin.token });
    expect(dumped.stderr).to.equal('');
    expect(numbers.body).to.have.lengthOf(1);
    await restored.stop();
    await source.stop();
    await target.drop();
  });

  it('leaves a live client that comes back after a restore its cursor', async () => {
    const system = await startSystem();
    const admin = await system.createAdmin();
    await system.system.features.events.afterRestore();

    const client = connectLive({ url: system.url, token: () => admin.token, after: 0 });
    const seq = await new Promise<number>((resolve) => client.on('caught_up', resolve));
    client.close();

    expect(seq).to.equal(1_000_000);
    await system.stop();
  });
});
