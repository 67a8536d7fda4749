import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { PORT_EXCEPTIONS } from '../../../src/features/porting/port-exception.js';
import { MOVES, PORT_ORDER_STATUSES } from '../../../src/features/porting/port-order.js';
import { SUBMISSION_CHECKS } from '../../../src/features/porting/submission.js';

const PAGE = readFileSync('docs/port-orders.md', 'utf8');

/** The diagram of the page, from the table that the code asks. */
function drawMoves(): string {
  const begins = `  [*] --> ${PORT_ORDER_STATUSES[0]}`;
  const arrows = MOVES.map(({ from, to, by }) => `  ${from} --> ${to}: ${by}`);
  const ends = PORT_ORDER_STATUSES.filter((status) => MOVES.every(({ from }) => from !== status));
  return ['stateDiagram-v2', begins, ...arrows, ...ends.map((status) => `  ${status} --> [*]`)].join('\n');
}

const tableOfExceptions = (): string =>
  [
    '| code | means | correction | look at |',
    '|---|---|---|---|',
    ...PORT_EXCEPTIONS.map(
      ({ code, meaning, correction, members }) =>
        `| \`${code}\` | ${meaning} | ${correction} | ${members.map((name) => `\`${name}\``).join(', ') || '–'} |`,
    ),
  ].join('\n');

const tableOfChecks = (): string =>
  [
    '| code | field | blocking | message | correction |',
    '|---|---|---|---|---|',
    ...SUBMISSION_CHECKS.map(
      ({ code, field, isBlocking, message, correction }) =>
        `| \`${code}\` | \`${field}\` | ${isBlocking ? 'yes' : 'no'} | ${message} | ${correction} |`,
    ),
  ].join('\n');

describe('docs/port-orders.md', () => {
  it('draws the moves that the code knows', () => {
    const drawn = /```mermaid\n([\s\S]*?)\n```/.exec(PAGE)?.[1];

    expect(drawn).to.equal(drawMoves());
  });

  it('lists the checks of a submission that the code knows', () => {
    expect(PAGE).to.include(tableOfChecks());
  });

  it('lists the exceptions that the code knows', () => {
    expect(PAGE).to.include(tableOfExceptions());
  });
});
