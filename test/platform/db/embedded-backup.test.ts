import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect } from 'chai';
import { backUpEmbedded } from '../../../src/platform/db/embedded-backup.js';
import { makeScratchDirectory } from '../../support/scratch.js';

describe('a backup of the embedded database', () => {
  const refusal = (dataDir: string, target: string): Promise<string> =>
    backUpEmbedded(dataDir, target).then(String, (error: Error) => error.message);

  it('is refused where there is none, and over what is there already', async () => {
    const dataDir = makeScratchDirectory();

    expect(await refusal(dataDir, join(makeScratchDirectory(), 'copy'))).to.match(/^There is no embedded database in/);
    mkdirSync(join(dataDir, 'pg18'));
    writeFileSync(join(dataDir, 'pg18', 'PG_VERSION'), '18\n');
    expect(await refusal(dataDir, makeScratchDirectory())).to.match(/is there already: name a folder that is not\.$/);
  });

  it('is not made into the data folder itself, however that is spelled', async () => {
    const dataDir = makeScratchDirectory();
    mkdirSync(join(dataDir, 'pg18'));
    writeFileSync(join(dataDir, 'pg18', 'PG_VERSION'), '18\n');
    const within = join(dataDir, 'backups', 'monday');

    for (const target of [within, relative(process.cwd(), within), `${dataDir}/pg18/../backups/monday`])
      expect(await refusal(dataDir, target)).to.match(/itself: name a folder outside of it\.$/);
    expect(await refusal(relative(process.cwd(), dataDir), within)).to.match(/name a folder outside of it\.$/);
    expect(existsSync(join(dataDir, 'backups'))).to.equal(false);
  });
});
