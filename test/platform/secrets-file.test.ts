import { spawn } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { keptSecret } from '../../src/platform/secrets-file.js';
import { makeScratchDirectory } from '../support/scratch.js';

describe('a kept secret', () => {
  it('is made once, for its owner alone', () => {
    const dir = join(makeScratchDirectory(), 'data');

    const secret = keptSecret(dir, 'jwt-secret');

    expect(secret).to.have.lengthOf(64);
    expect(keptSecret(dir, 'jwt-secret')).to.equal(secret);
    expect(keptSecret(dir, 'encryption-key')).to.not.equal(secret);
    expect(statSync(join(dir, 'jwt-secret')).mode & 0o777).to.equal(0o600);
    expect(readdirSync(dir).sort()).to.deep.equal(['encryption-key', 'jwt-secret']);
  });

  it('is the same for processes that start together', async () => {
    const dir = makeScratchDirectory();

    const secrets = await Promise.all(Array.from({ length: 2 }, () => secretOfProcess(dir)));

    expect(new Set(secrets).size).to.equal(1);
    expect(secrets[0]).to.equal(readFileSync(join(dir, 'jwt-secret'), 'utf8').trim());
  });

  it('is made private again', () => {
    const dir = makeScratchDirectory();
    keptSecret(dir, 'jwt-secret');
    chmodSync(join(dir, 'jwt-secret'), 0o644);

    keptSecret(dir, 'jwt-secret');

    expect(statSync(join(dir, 'jwt-secret')).mode & 0o777).to.equal(0o600);
  });

  it('that is private already is only read', () => {
    const dir = makeScratchDirectory();
    const path = join(dir, 'jwt-secret');
    const secret = keptSecret(dir, 'jwt-secret');
    chmodSync(path, 0o400);

    expect(keptSecret(dir, 'jwt-secret')).to.equal(secret);
    expect(statSync(path).mode & 0o777).to.equal(0o400);
  });

  it('that is damaged is refused with a sentence, not replaced', () => {
    const dir = makeScratchDirectory();
    writeFileSync(join(dir, 'jwt-secret'), 'torn');

    expect(() => keptSecret(dir, 'jwt-secret')).to.throw(/jwt-secret is damaged/);
  });
});

function secretOfProcess(dir: string): Promise<string> {
  const module = fileURLToPath(new URL('../../src/platform/secrets-file.ts', import.meta.url));
  const code = `import(${JSON.stringify(module)}).then((m) => process.stdout.write(m.keptSecret(${JSON.stringify(dir)}, 'jwt-secret')))`;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.once('exit', (status) => (status === 0 ? resolve(text) : reject(new Error(`exit ${status}`))));
  });
}
