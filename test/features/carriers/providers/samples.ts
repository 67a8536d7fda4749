import { readFileSync } from 'node:fs';
import type {
  CarrierContext,
  ProviderAdapter,
  Secrets,
  Signal,
  WebhookRequest,
} from '../../../../src/features/carriers/provider.js';

/** The sample payloads of `test/fixtures/payloads`, and how the tests read them. */

const PAYLOADS = new URL('../../../fixtures/payloads/', import.meta.url);

export const HOST = 'https://switchboard.example.test';
export const CARRIER: CarrierContext = { voiceUrl: null, plain: {} };

export interface Step {
  readonly file: string;
  readonly event: string;
  readonly method: string;
  readonly contentType: string;
  readonly path: string;
  readonly query?: string;
  readonly occurredAt: string | null;
  readonly leg: string;
  readonly canonical: { readonly type: string; readonly disposition?: string; readonly linkedLeg?: string };
  readonly body: Buffer;
}

export interface ExpectedLeg {
  readonly id: string;
  readonly parent: string | null;
  readonly group: string | null;
  readonly direction: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly states: readonly string[];
  readonly disposition: string | null;
  readonly hangupCause: string | null;
  readonly startedAt: string | null;
  readonly answeredAt: string | null;
  readonly endedAt: string | null;
  readonly totalSec: number | null;
  readonly talkSec: number | null;
}

export interface Scenario {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly expect: { readonly legs: readonly ExpectedLeg[] };
}

export function readPayload(file: string): Buffer {
  return readFileSync(new URL(file, PAYLOADS));
}

export function readScenarios(provider: string): readonly Scenario[] {
  const manifest = JSON.parse(readPayload('manifest.json').toString()) as {
    carriers: Record<string, { scenarios: Array<Scenario & { steps: Array<Omit<Step, 'body'>> }> }>;
  };
  const scenarios = manifest.carriers[provider]?.scenarios ?? [];
  return scenarios.map((scenario) => ({
    ...scenario,
    steps: scenario.steps.map((step) => ({ ...step, body: readPayload(step.file) })),
  }));
}

export const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
export const JSON_TYPE = { 'content-type': 'application/json' };

export function makeRequest(path: string, headers: Record<string, string>, body: string | Buffer): WebhookRequest {
  return { method: 'POST', url: `${HOST}${path}`, path, headers, body: Buffer.from(body) };
}

export function requestOfStep(step: Step, headers: Record<string, string> = {}): WebhookRequest {
  const path = step.query ? `${step.path}?${step.query}` : step.path;
  return makeRequest(path, { 'content-type': step.contentType, ...headers }, step.body);
}

/** The same request with the byte at `index` of the body (by default one in the middle) changed. */
export function withFlippedByte(request: WebhookRequest, index = Math.floor(request.body.length / 2)): WebhookRequest {
  const body = Buffer.from(request.body);
  body[index] = (body[index] ?? 0) ^ 1;
  return { ...request, body };
}

/** What a request states; what is ignored states nothing. */
export function signalsOf(
  adapter: ProviderAdapter,
  request: WebhookRequest,
  carrier: CarrierContext = CARRIER,
): readonly Signal[] {
  const content = adapter.read(request);
  if (content === null) throw new Error('The body is unreadable.');
  const understanding = adapter.understand(request, content, carrier);
  if (understanding.kind === 'ignored') return [];
  if (understanding.kind !== 'signals') throw new Error(`${understanding.code}: ${understanding.detail}`);
  return understanding.signals;
}

export const codeOf = (adapter: ProviderAdapter, request: WebhookRequest, secrets: Secrets, now = 0): string => {
  const verdict = adapter.verify(request, secrets, now);
  return verdict.ok ? 'ok' : verdict.code;
};

/** How `understand` puts a request: the code of what is ignored or failed, else `signals`. */
export function outcomeOf(adapter: ProviderAdapter, request: WebhookRequest, carrier = CARRIER): string {
  const content = adapter.read(request);
  if (content === null) return 'unreadable';
  const understanding = adapter.understand(request, content, carrier);
  return understanding.kind === 'signals' ? 'signals' : `${understanding.kind} ${understanding.code}`;
}
