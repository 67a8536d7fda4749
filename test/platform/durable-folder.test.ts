import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { makeDurably, type Sync, syncToDisk } from '../../src/platform/durable-folder.js';
import { makeScratchDirectory } from '../support/scratch.js';

const FILES = { 'top.txt': 'top', 'some/one.txt': 'one', 'some/more/two.txt': 'two' };

describe('a folder made durably', () => {
  it('has its name only once all of it is on the disk, and is told of once the name is as well', async () => {
    const above = makeScratchDirectory();
    const folder = join(above, 'new', 'copy');
    const synced: { readonly path: string; readonly text: string; readonly isNamed: boolean }[] = [];
    const sync: Sync = async (path, what) => {
      const text = what === 'file' ? readFileSync(path, 'utf8') : 'a folder';
      synced.push({ path: path.replace(/\.unfinished-\w+/, ''), text, isNamed: existsSync(folder) });
      await syncToDisk(path, what);
    };

    await makeDurably(folder, sync, fill);

    const before = synced.filter(({ isNamed }) => !isNamed).map(({ path, text }) => `${path}: ${text}`);
    const inside = (path: string): string => join(folder, path);
    expect(before[0]).to.equal(`${above}: a folder`);
    expect(before.slice(1, 4)).to.have.members(Object.entries(FILES).map(([path, text]) => `${inside(path)}: ${text}`));
    expect(before.slice(4)).to.have.members(
      ['', 'some', 'some/more', 'empty'].map((path) => `${inside(path)}: a folder`),
    );
    expect(synced.filter(({ isNamed }) => isNamed).map(({ path }) => path)).to.deep.equal([dirname(folder)]);
  });

  it('asks the disk for every file and folder', async () => {
    let calls = 0;

    await withSync(
      async (sync) => {
        calls += 1;
        await sync();
      },
      () => makeDurably(join(makeScratchDirectory(), 'copy'), syncToDisk, fill),
    );

    const folders = process.platform === 'win32' ? 0 : 5;
    expect(calls).to.equal(3 + folders);
  });

  it('may lie on a disk that has nothing to write for a folder, but on none that writes no files', async () => {
    const folder = makeScratchDirectory();
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const refuse = async (): Promise<void> => {
      throw Object.assign(new Error('EINVAL: invalid argument, fsync'), { code: 'EINVAL' });
    };
    const outcome = (path: string, what: 'file' | 'folder'): Promise<string> =>
      withSync(refuse, () => syncToDisk(path, what)).then(String, (error: Error) => error.message);

    expect(await outcome(folder, 'folder')).to.equal('undefined');
    expect(await outcome(file, 'file')).to.equal('EINVAL: invalid argument, fsync');
  });

  it('is not waited for file by file, nor are more opened than a process may', async () => {
    let inside = 0;
    const seen: number[] = [];
    const sync: Sync = async () => {
      inside += 1;
      seen.push(inside);
      await turn();
      inside -= 1;
    };

    await makeDurably(join(makeScratchDirectory(), 'copy'), sync, async (draft) => {
      for (let i = 0; i < 100; i += 1) writeFileSync(join(draft, `${i}`), '');
    });

    expect(seen).to.have.lengthOf(102);
    expect(Math.max(...seen)).to.be.within(8, 64);
  });

  it('is not there at all where the disk fails, whether at a file, a folder or the last name', async () => {
    for (const failing of [/one\.txt$/, /more$/, /unfinished-\w+$/, 'the last name']) {
      const above = makeScratchDirectory();
      const sync: Sync = async (path) => {
        const fails = typeof failing === 'string' ? path === above : failing.test(path);
        if (fails) throw new Error('EIO: i/o error, fsync');
      };

      const failure = await makeDurably(join(above, 'copy'), sync, fill).then(String, (error: Error) => error.message);

      expect(failure).to.equal('EIO: i/o error, fsync');
      expect(readdirSync(above)).to.deep.equal([]);
    }
  });
});

async function fill(draft: string): Promise<void> {
  mkdirSync(join(draft, 'some', 'more'), { recursive: true });
  mkdirSync(join(draft, 'empty'));
  for (const [path, text] of Object.entries(FILES)) writeFileSync(join(draft, path), text);
}

/** Node's own way to the disk, with `instead` in between. */
async function withSync(
  instead: (sync: () => Promise<void>) => Promise<void>,
  work: () => Promise<void>,
): Promise<void> {
  const handle = await open(makeScratchDirectory(), 'r');
  await handle.close();
  const kind: Pick<FileHandle, 'sync'> = Object.getPrototypeOf(handle);
  const { sync } = kind;
  kind.sync = function (this: FileHandle) {
    return instead(() => sync.call(this));
  };
  await work().finally(() => {
    kind.sync = sync;
  });
}
