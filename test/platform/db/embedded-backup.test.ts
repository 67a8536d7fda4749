import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect } from 'chai';
import { backUpEmbedded } from '../../../src/platform/db/embedded-backup.js';
import type { Sync } from '../../../src/platform/durable-folder.js';
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
    const link = join(makeScratchDirectory(), 'link');
    symlinkSync(dataDir, link);
    expect(await refusal(link, within)).to.match(/name a folder outside of it\.$/);
    expect(await refusal(dataDir, join(link, 'backups'))).to.match(/name a folder outside of it\.$/);
    expect(existsSync(join(dataDir, 'backups'))).to.equal(false);
  });

  it('has its name only once the disk has all of it', async () => {
    const [dataDir, target] = [makeScratchDirectory(), join(makeScratchDirectory(), 'copy')];
    mkdirSync(join(dataDir, 'pg18', 'pg_wal'), { recursive: true });
    writeFileSync(join(dataDir, 'pg18', 'PG_VERSION'), '18\n');
    writeFileSync(join(dataDir, 'jwt-secret'), 'kept');
    const before: string[] = [];
    const sync: Sync = async (path) => {
      if (!existsSync(target)) before.push(relative(target, path).replace(/^\.\.\/copy\.unfinished-\w+/, 'copy'));
    };

    await backUpEmbedded(dataDir, target, sync);

    const paths = ['copy/jwt-secret', 'copy/pg18/PG_VERSION', 'copy/pg18/pg_wal', 'copy/pg18', 'copy'];
    expect(before).to.have.members(paths);
    expect(readdirSync(target, { recursive: true })).to.have.lengthOf(4);
  });

  it('leaves nothing where the disk fails, and says so', async () => {
    const [dataDir, above] = [makeScratchDirectory(), makeScratchDirectory()];
    mkdirSync(join(dataDir, 'pg18'));
    writeFileSync(join(dataDir, 'pg18', 'PG_VERSION'), '18\n');
    const sync: Sync = async () => {
      throw new Error('ENOSPC: no space left on device, fsync');
    };

    const failure = await backUpEmbedded(dataDir, join(above, 'copy'), sync).then(String, (error: Error) => error);

    expect(failure).to.have.property(
      'message',
      `The backup to ${join(above, 'copy')} failed: ENOSPC: no space left on device, fsync`,
    );
    expect(readdirSync(above)).to.deep.equal([]);
  });
});
