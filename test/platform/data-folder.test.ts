import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeDataFolder } from '../../src/platform/data-folder.js';
import { makeScratchDirectory } from '../support/scratch.js';

describe('the data folder', () => {
  it('is made with those above it, for its owner alone', () => {
    const dir = join(makeScratchDirectory(), 'a', 'b');

    makeDataFolder(dir);
    makeDataFolder(dir);

    expect(statSync(dir).mode & 0o777).to.equal(0o700);
  });

  it('is refused with a sentence where none can be made', () => {
    const file = join(makeScratchDirectory(), 'file');
    writeFileSync(file, '');

    expect(() => makeDataFolder(join(file, 'data'))).to.throw(/cannot be made: set DATA_DIR/);
    expect(() => makeDataFolder(file)).to.throw(/is no folder: set DATA_DIR/);
  });

  it('is refused at once where making folders never ends', function () {
    if (process.platform !== 'linux') this.skip();

    expect(() => makeDataFolder('/proc/switchboard/data')).to.throw(/cannot be made: set DATA_DIR/);
  });
});
