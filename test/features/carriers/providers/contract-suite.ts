import { expect } from 'chai';
import type { ProviderAdapter, Secrets, Signal, WebhookRequest } from '../../../../src/features/carriers/provider.js';
import { createRandom, mutate, mutateHeaders } from './mutations.js';
import { CARRIER, type Scenario, type Step, signalsOf, withFlippedByte } from './samples.js';

/** What every adapter must keep to, run over its own samples. */

export interface SignedSample {
  readonly name: string;
  /** Rightly signed by `secrets` at `now`. */
  readonly request: WebhookRequest;
  readonly secrets: Secrets;
  readonly now: number;
}

const MUTATIONS = 300;

/** All that the service asks of an adapter, in its order. */
function runThrough(adapter: ProviderAdapter, { request, secrets, now }: SignedSample) {
  const verdict = adapter.verify(request, secrets, now);
  const content = adapter.read(request);
  if (content === null) return { verdict, content };
  return {
    verdict,
    content,
    key: adapter.deliveryKey(request, content),
    answer: adapter.answer(request, content, CARRIER),
    understanding: adapter.understand(request, content, CARRIER),
  };
}

const STATES = ['initiated', 'ringing', 'answered', 'ended'];
const DISPOSITIONS = ['completed', 'no_answer', 'busy', 'rejected', 'canceled', 'failed'];

function expectWellFormed(signal: Signal): void {
  expect(signal.callId).to.be.a('string').and.not.equal('');
  if (signal.state !== undefined) expect(STATES).to.include(signal.state);
  if (signal.disposition !== undefined) expect(DISPOSITIONS).to.include(signal.disposition);
  if (signal.direction !== undefined) expect(['incoming', 'outgoing']).to.include(signal.direction);
  if (signal.hangupSource !== undefined) expect(['caller', 'callee', 'system']).to.include(signal.hangupSource);
  for (const time of [signal.occurredAt, signal.answeredAt]) {
    if (time !== undefined) expect(Number.isInteger(time), 'whole ms').to.equal(true);
  }
  for (const seconds of [signal.talkSeconds, signal.totalSeconds]) {
    if (seconds !== undefined) expect(Number.isFinite(seconds) && seconds >= 0, 'seconds').to.equal(true);
  }
  for (const text of [signal.from, signal.to, signal.parentCallId, signal.sessionId, signal.hangupCause]) {
    if (text !== undefined) expect(text).to.be.a('string');
  }
  if (signal.price !== undefined) expect(signal.price).to.match(/^-?\d+(\.\d+)?$/);
  if (signal.currency !== undefined) expect(signal.currency).to.match(/^[A-Z]{3}$/);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value)) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}

const withSecrets = (secrets: Secrets, change: (values: readonly string[]) => readonly string[]): Secrets =>
  Object.fromEntries(Object.entries(secrets).map(([name, values]) => [name, change(values)]));

/** `credentials` and `setup`: what the carrier's door and its test route show. */
function describeSettings(adapter: ProviderAdapter): void {
  it('has credentials with different names, none of which may be empty', () => {
    const names = adapter.credentials.map((rule) => rule.name);

    expect(new Set(names).size).to.equal(names.length);
    for (const rule of adapter.credentials) expect(rule.check(''), rule.name).to.be.a('string');
    for (const name of (adapter.oneOf ?? []).flat()) expect(names).to.include(name);
  });

  it('says where to enter the URL', () => {
    const lines = adapter.setup('https://switchboard.example.test/webhooks/1/');

    expect(lines.join('\n')).to.include('https://switchboard.example.test/webhooks/1/');
  });
}

const flip = (text: string, at: number): string =>
  text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);

/** The request with each byte of its headers in turn changed, and of its body where the provider signs that. */
function* spoiledByOneByte(adapter: ProviderAdapter, request: WebhookRequest): Generator<WebhookRequest> {
  for (const [name, value] of Object.entries(request.headers)) {
    if (name === 'content-type') continue;
    for (let at = 0; at < value.length; at += 1) {
      yield { ...request, headers: { ...request.headers, [name]: flip(value, at) } };
    }
  }
  if (adapter.challenge) return;
  for (let at = 0; at < request.body.length; at += 1) yield withFlippedByte(request, at);
}

function describeVerification(adapter: ProviderAdapter, samples: readonly SignedSample[]): void {
  for (const { name, request, secrets, now } of samples) {
    it(`verifies ${name}, with the old or the new of two secrets, and refuses it without them`, () => {
      const asSecond = withSecrets(secrets, (values) => ['another-secret', ...values]);
      const empty = withSecrets(secrets, () => ['']);
      const bare = { ...request, headers: { 'content-type': request.headers['content-type'] ?? '' } };

      expect(adapter.verify(request, secrets, now)).to.deep.equal({ ok: true });
      expect(adapter.verify(request, asSecond, now).ok).to.equal(true);
      expect(adapter.verify(request, empty, now).ok).to.equal(false);
      expect(adapter.verify(request, {}, now).ok).to.equal(false);
      expect(adapter.verify(bare, secrets, now).ok).to.equal(false);
    });

    it(`refuses ${name} with any one byte changed of what is signed`, () => {
      for (const spoiled of spoiledByOneByte(adapter, request)) {
        expect(adapter.verify(spoiled, secrets, now).ok, `${JSON.stringify(spoiled.headers)} ${spoiled.body}`).to.equal(
          false,
        );
      }
    });
  }
}

function describeRobustness(adapter: ProviderAdapter, samples: readonly SignedSample[]): void {
  it(`never throws, and stays well-formed, over ${MUTATIONS} spoiled webhooks`, () => {
    const random = createRandom(20260302);

    for (let round = 0; round < MUTATIONS; round += 1) {
      const sample = samples[round % samples.length];
      if (!sample) throw new Error('The suite needs a sample.');
      const spoiled = mutate(mutateHeaders(sample.request, random), random);
      const result = runThrough(adapter, {
        ...sample,
        request: round % 3 === 0 ? spoiled : mutate(sample.request, random),
      });
      if (!result.verdict.ok) expect(result.verdict.code).to.match(/^[a-z_]+$/);
      if (!result.understanding) continue;
      expect(result.answer.status).to.be.within(200, 299);
      if (result.understanding.kind === 'signals') for (const s of result.understanding.signals) expectWellFormed(s);
      else expect(result.understanding.code).to.match(/^[a-z_]+$/);
    }
  });

  it('gives the same for the same webhook and changes nothing it is given', () => {
    for (const sample of samples) {
      const before = Buffer.from(sample.request.body);
      const frozen = deepFreeze({ ...sample, request: { ...sample.request, headers: { ...sample.request.headers } } });

      const first = runThrough(adapter, frozen);
      const second = runThrough(adapter, frozen);

      expect(second).to.deep.equal(first);
      expect(sample.request.body.equals(before)).to.equal(true);
    }
  });
}

export function describeAdapter(adapter: ProviderAdapter, samples: readonly SignedSample[]): void {
  describe(`the ${adapter.name} adapter as every adapter`, () => {
    describeSettings(adapter);
    describeVerification(adapter, samples);
    describeRobustness(adapter, samples);
  });
}

const msOf = (text: string | null): number | undefined => (text === null ? undefined : Date.parse(text));

/** One step of a scenario against what the manifest says of it. */
function expectStep(step: Step, signals: readonly Signal[]): void {
  const { type, disposition } = step.canonical;
  const statement = signals.find((signal) => signal.callId === step.leg && (signal.state ?? 'note') === type);
  if (!STATES.includes(type)) {
    expect(signals.some((signal) => signal.state !== undefined && signal.callId === step.leg)).to.equal(false);
    return;
  }
  expect(statement, `${type} of ${step.leg}`).to.not.equal(undefined);
  expect(statement?.occurredAt).to.equal(msOf(step.occurredAt));
  expect(statement?.disposition).to.equal(disposition);
}

const digitsOf = (party: string | undefined): string =>
  (party ?? '')
    .replace(/^sips?:/, '')
    .split('@')[0]
    ?.replace('+', '') ?? '';

/** The facts of one leg, folded in the plainest way: what is told last in true order counts. */
function foldLeg(id: string, signals: readonly Signal[]) {
  const own = signals.filter((signal) => signal.callId === id);
  const last = <K extends keyof Signal>(name: K) => own.findLast((signal) => signal[name] !== undefined)?.[name];
  const timesOf = (state: string) =>
    own.filter((signal) => signal.state === state).flatMap((signal) => signal.occurredAt ?? []);
  const end = own.findLast((signal) => signal.state === 'ended' && signal.occurredAt !== undefined);
  const endedAt = end?.occurredAt;
  const implied = endedAt !== undefined && end?.talkSeconds ? endedAt - end.talkSeconds * 1000 : undefined;
  const total = endedAt !== undefined && end?.totalSeconds !== undefined ? [endedAt - end.totalSeconds * 1000] : [];
  const started = [...STATES.flatMap(timesOf), ...total];
  return {
    last,
    endedAt,
    answeredAt: timesOf('answered')[0] ?? last('answeredAt') ?? implied,
    startedAt: Math.min(...started),
  };
}

/** Every scenario of the manifest for this provider: each step's statement, then the legs that come of them. */
export function describeScenarios(
  adapter: ProviderAdapter,
  scenarios: readonly Scenario[],
  requestOf: (step: Step) => WebhookRequest,
): void {
  describe(`the ${adapter.name} scenarios`, () => {
    for (const scenario of scenarios) {
      it(`understands ${scenario.name}`, () => {
        const reports = scenario.steps.map((step) => ({ step, signals: signalsOf(adapter, requestOf(step)) }));

        for (const { step, signals } of reports) expectStep(step, signals);
        const signals = reports.flatMap((report) => report.signals);
        for (const leg of scenario.expect.legs) {
          const { last, endedAt, answeredAt, startedAt } = foldLeg(leg.id, signals);
          expect(last('disposition')).to.equal(leg.disposition ?? undefined);
          expect(last('hangupCause')).to.equal(leg.hangupCause ?? undefined);
          expect(last('parentCallId')).to.equal(leg.parent ?? undefined);
          if (leg.direction) expect(last('direction')).to.equal(leg.direction);
          if (leg.from) expect(digitsOf(last('from'))).to.equal(digitsOf(leg.from));
          if (leg.to) expect(digitsOf(last('to'))).to.equal(digitsOf(leg.to));
          if (leg.talkSec) expect(last('talkSeconds')).to.equal(leg.talkSec);
          if (leg.endedAt) expect(endedAt).to.equal(msOf(leg.endedAt));
          if (leg.answeredAt) expect(answeredAt).to.equal(msOf(leg.answeredAt));
          if (leg.startedAt) expect(startedAt).to.equal(msOf(leg.startedAt));
        }
      });
    }
  });
}
