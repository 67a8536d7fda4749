import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { createJournal, type Journal } from '../../src/simulator/journal.js';
import { type Counts, noCounts, type PlayOptions, play } from '../../src/simulator/play.js';
import { senderOf } from '../../src/simulator/senders/senders.js';
import { planOf } from './runs.js';

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

interface Played {
  readonly counts: Counts;
  readonly journal: Journal;
  /** Each request's `webhook-id`. */
  readonly received: readonly string[];
}

const facts = {
  ...{ run: '0badcafe', url: '', seed: 'one', calls: 3, afterSeq: 0, numbers: [], carriers: { generic: 'c' } },
};

/** Plays three calls to a server that answers as it is told. */
async function playTo(answer: Answer, changes: Partial<PlayOptions> = {}): Promise<Played> {
  const received: string[] = [];
  const server = createServer((request, response) => {
    received.push(String(request.headers['webhook-id']));
    request.resume().on('end', () => answer(request, response, received.length));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/c/`;
  const plan = planOf({ calls: 3, providers: ['generic'], rate: 0, duplicate: 0, lose: 0 });
  const counts = noCounts(plan.deliveries.length);
  const journal = createJournal(facts, null);
  const line = { carrierId: 'c', webhookUrl: target, target, keys: senderOf('generic').makeKeys() };
  const rest = { concurrency: 4, giveUpAfter: 10_000, signal: new AbortController().signal };
  try {
    await play({ plan, lines: new Map([['generic', line]]), journal, counts, ...rest, ...changes });
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
  return { counts, journal, received };
}

const status =
  (code: number): Answer =>
  (_request, response) =>
    response.writeHead(code).end();

describe('sending of simulated webhooks', () => {
  it('sends each webhook once when all are answered', async () => {
    const { counts, journal, received } = await playTo(status(204));

    expect(counts).to.include({ answered: counts.toSend, again: 0, refused: 0, givenUp: 0, failure: null });
    expect(new Set(received).size).to.equal(counts.toSend);
    expect([...journal.records.values()].every(({ answeredAt }) => answeredAt !== null)).to.equal(true);
  });

  it('tries again after 503 and after a broken connection, until it is answered', async () => {
    const { counts } = await playTo((request, response, count) => {
      if (count === 1) response.writeHead(503, { 'Retry-After': '0' }).end();
      else if (count === 2) request.socket.destroy();
      else response.writeHead(204).end();
    });

    expect(counts).to.include({ answered: counts.toSend, again: 2, trouble: null });
  });

  it('takes any other answer for final', async () => {
    const { counts, journal, received } = await playTo(status(401));

    expect(counts).to.include({ answered: 0, refused: counts.toSend, again: 0 });
    expect(received).to.have.lengthOf(counts.toSend);
    expect(counts.failure).to.contain('401');
    expect(journal.records.get('0.0')).to.include({ refused: 401, answeredAt: null });
  });

  it('gives up in the end, and leaves open whether the webhook was stored', async () => {
    const { counts, journal } = await playTo(status(500), { giveUpAfter: 0 });

    expect(counts).to.include({ answered: 0, givenUp: counts.toSend });
    expect(journal.records.get('0.0')).to.include({ refused: null, answeredAt: null });
  });

  it('stops when it is asked to', async () => {
    const { counts, received } = await playTo(status(204), { signal: AbortSignal.abort() });

    expect(received).to.deep.equal([]);
    expect(counts.begun).to.equal(0);
  });
});
