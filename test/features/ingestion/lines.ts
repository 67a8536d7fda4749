/** A carrier's line over the whole product: set up by its door, played from outside with right signatures. */
import { request } from 'node:http';
import type { Clock } from '../../../src/lib/clock.js';
import type { Person, TestSystem } from '../../support/system.js';
import { until } from '../../support/until.js';
import { SIGNERS, type Signer } from './signing.js';

/** A clock that only the test moves. */
export interface HandClock extends Clock {
  set(at: number): void;
}

export function handClock(at: number): HandClock {
  let now = at;
  return {
    now: () => now,
    set: (to) => {
      now = to;
    },
  };
}

export interface Line {
  readonly id: string;
  readonly provider: string;
  readonly signer: Signer;
}

export interface Delivery {
  /** Below the carrier's webhook URL, with the query; default: none. */
  readonly path?: string;
  readonly contentType: string;
  readonly body: Buffer;
  /** Default: the system's present. */
  readonly at?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function openLine(
  system: TestSystem,
  person: Person,
  provider: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Line> {
  const signer = SIGNERS[provider]?.();
  if (!signer) throw new Error(`Nothing signs for ${provider}.`);
  const { status, body } = await system.ask('POST', '/api/carriers/', {
    token: person.token,
    body: { provider, name: provider, credentials: signer.credentials, ...more },
  });
  if (status !== 201) throw new Error(`Setting up ${provider} was answered ${status}: ${JSON.stringify(body)}`);
  return { id: body.id, provider, signer };
}

export const urlOf = (system: TestSystem, line: Line, path = ''): string =>
  `${system.url}/webhooks/${line.id}${path || '/'}`;

export function signedHeaders(system: TestSystem, line: Line, delivery: Delivery): Record<string, string> {
  const { path, contentType, body, at = system.system.platform.clock.now() } = delivery;
  return {
    'content-type': contentType,
    ...line.signer.sign({ url: urlOf(system, line, path), contentType, body, at }),
    ...delivery.headers,
  };
}

/** Delivers as the provider would; answers the status. Without fetch, which costs more than our door does. */
export function deliver(system: TestSystem, line: Line, delivery: Delivery): Promise<number> {
  const headers = signedHeaders(system, line, delivery);
  return new Promise((resolve, reject) => {
    const sent = request(urlOf(system, line, delivery.path), { method: 'POST', headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject).end(delivery.body);
  });
}

/** Works off the inbox, until nothing in it is pending. */
export async function drained(system: TestSystem): Promise<void> {
  await until(
    'the inbox is worked off',
    async () => {
      await system.system.features.ingestion.drain();
      const [row] = await system.db('seen_webhooks').where({ status: 'pending' }).limit(1).select('id');
      return row === undefined;
    },
    20_000,
  );
}

export async function claimNumber(system: TestSystem, person: Person, number: string): Promise<string> {
  const { status, body } = await system.ask('POST', '/api/virtual_numbers/', {
    token: person.token,
    body: { phone_number: number },
  });
  if (status !== 201) throw new Error(`Claiming ${number} was answered ${status}: ${JSON.stringify(body)}`);
  return body.id;
}

export const genericCall = (members: Readonly<Record<string, unknown>>): Delivery => ({
  contentType: 'application/json',
  body: Buffer.from(JSON.stringify({ direction: 'incoming', from: '+12025550143', to: '+12025550100', ...members })),
});
