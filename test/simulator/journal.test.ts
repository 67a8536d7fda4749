import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Failure } from '../../src/simulator/failure.js';
import { createJournal, readJournal } from '../../src/simulator/journal.js';
import { makeScratchDirectory } from '../support/scratch.js';
import { planOf } from './runs.js';

const facts = {
  ...{ run: '0badcafe', url: 'http://127.0.0.1:3000', seed: 'one', calls: 2, afterSeq: 7 },
  ...{ carriers: { generic: 'c' }, numbers: ['+9991234567001'] },
};

function writeRun(): { file: string; journal: ReturnType<typeof createJournal> } {
  const file = join(makeScratchDirectory(), 'run.ndjson');
  const journal = createJournal(facts, file);
  const [webhook] = planOf({ calls: 1, providers: ['generic'] }).calls[0]?.webhooks() ?? [];
  if (!webhook) throw new Error('There is no webhook.');
  for (const place of [0, 1, 2]) journal.begin({ call: 0, place, provider: 'generic', webhook, now: 1000 + place });
  journal.answered({ call: 0, place: 0, provider: 'generic' }, 2000);
  journal.refused({ call: 0, place: 1, provider: 'generic' }, 401);
  journal.close();
  return { file, journal };
}

describe('journal of a simulated run', () => {
  it('is read as it was written', () => {
    const { file, journal } = writeRun();

    const read = readJournal(file);

    expect(read.facts).to.deep.equal(facts);
    // What is undefined is not written.
    expect([...read.records]).to.deep.equal(JSON.parse(JSON.stringify([...journal.records])));
  });

  it('keeps the first time of what is sent and answered twice', () => {
    const { journal } = writeRun();

    journal.answered({ call: 0, place: 0, provider: 'generic' }, 9000);

    expect(journal.records.get('0.0')).to.include({ sentAt: 1000, answeredAt: 2000 });
    expect(journal.records.get('0.2')).to.include({ answeredAt: null, refused: null });
  });

  it('takes a last line that was cut off for not written', () => {
    const { file } = writeRun();
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, -5));

    expect(readJournal(file).records.get('0.1')).to.include({ answeredAt: null, refused: null });
  });

  it('says what is wrong with another file', () => {
    const file = join(makeScratchDirectory(), 'other.txt');
    writeFileSync(file, 'no\nJSON\nat all\n');

    expect(() => readJournal(file)).to.throw(Failure, 'damaged in line 1');
    expect(() => readJournal(join(file, 'nowhere'))).to.throw(Failure, 'cannot be read');
    expect(() => createJournal(facts, join(file, 'nowhere'))).to.throw(Failure, 'cannot be written');
  });
});
