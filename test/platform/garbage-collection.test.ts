import { spawnSync } from 'node:child_process';
import { expect } from 'chai';

/** Of some thousand that each has. */
const MOST_KEPT = 50;

describe('a process of ours', function () {
  this.timeout(60_000);

  it('keeps nothing of the requests after a flood of them', () => {
    // With a small young generation V8 judges at once what lives long; it ends at once as its port is none.
    const args = ['--max-semi-space-size=1', '--import', 'tsx', '--import', './test/support/flood-at-exit.ts'];
    const env = { ...process.env, PORT: 'none' };
    const { stdout, stderr } = spawnSync(process.execPath, [...args, 'src/main.ts'], { env, encoding: 'utf8' });

    expect(stderr).to.match(/PORT/);
    expect(Number(/^(\d+) bytes kept/m.exec(stdout)?.[1])).to.be.below(MOST_KEPT);
  });
});
