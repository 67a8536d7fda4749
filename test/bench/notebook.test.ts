import { expect } from 'chai';
import { createNotebook, joinRuns } from '../../bench/lib/notebook.js';

function runOf(committed: readonly number[], ceilings: readonly number[]) {
  const book = createNotebook('ingest');
  for (const value of committed) book.note('one process', 'committed', '/s', value);
  for (const value of ceilings) book.note('ceiling', 'committed', '/s', value);
  book.ratio('one process / ceiling', ['one process', 'committed'], ['ceiling', 'committed'], { atLeast: 0.6 });
  return book.result();
}

const rowOf = (run: ReturnType<typeof joinRuns>, name: string) => run.rows.find((row) => row.name === name);

describe('rounds of several runs', () => {
  it('are judged together, ratios by those of each round', () => {
    const earlier = runOf([700, 650], [1000, 1000]);
    const later = runOf([100], [1000]);

    const joined = joinRuns(earlier, later);

    expect(rowOf(joined, 'one process / ceiling')).to.include({ median: 0.65, min: 0.1, max: 0.7, met: true });
    expect(rowOf(joined, 'one process / ceiling')?.rounds).to.eql([0.7, 0.65, 0.1]);
    expect(joinRuns(joined, runOf([100, 100], [1000, 1000])).rows.at(-1)).to.include({ median: 0.1, met: false });
  });

  it('keep what only one of them measured', () => {
    const earlier = runOf([700], [1000]);
    const book = createNotebook('ingest');
    book.note('slow disk', 'committed', '/s', 300);
    book.skip('No Redis here.');

    const joined = joinRuns(earlier, book.result());

    expect(joined.rows.map(({ group }) => group)).to.eql(['one process', 'ceiling', 'ratios', 'slow disk']);
    expect(joined.skipped).to.eql(['No Redis here.']);
  });
});
