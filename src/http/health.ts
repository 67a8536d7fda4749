import Joi from 'joi';
import type { Metrics } from '../platform/metrics.js';
import { type AnyRoute, Reply, route } from './route.js';

/** Answers whether a part works; one that fails or takes too long does not. */
export type HealthCheck = () => Promise<boolean> | boolean;

const PATIENCE_MS = 2000;

const state = Joi.string().valid('ok', 'failing');
const livez = Joi.object({ status: state.required() });
const readyz = Joi.object({ status: state.required(), checks: Joi.object().pattern(Joi.string(), state).required() });

export interface HealthParts {
  /** By name: `database`, `queue`, `backlog`. */
  readonly checks: Readonly<Record<string, HealthCheck>>;
  readonly metrics: Metrics;
}

/** Who asks while an answer is on its way gets the same: these are open to strangers, who shall not use up the pool. */
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | null = null;
  return () => {
    running ??= ask().finally(() => {
      running = null;
    });
    return running;
  };
}

/** For whoever runs the product: open to all, outside the rate limits. */
export function healthRoutes({ checks, metrics }: HealthParts): AnyRoute[] {
  const judge = shared(() => judgeAll(checks));
  const measure = shared(() => metrics.registry.metrics());
  const common = { method: 'get', tag: 'Operation', access: 'public', cost: 0 } as const;
  return [
    route({
      ...common,
      path: '/livez/',
      summary: 'Whether the process lives',
      responses: { 200: { description: 'It does.', schema: livez } },
      handle: () => ({ status: 'ok' }),
    }),
    route({
      ...common,
      path: '/readyz/',
      summary: 'Whether the process can work: database, queue, backlog',
      responses: {
        200: { description: 'It can.', schema: readyz },
        503: { description: 'Something it needs is away, or too many webhooks wait.', schema: readyz },
      },
      handle: judge,
    }),
    route({
      ...common,
      path: '/metrics/',
      summary: 'Metrics of the process, for Prometheus',
      responses: { 200: { description: 'Text format 0.0.4.', contentType: 'text/plain' } },
      handle: async () => new Reply(await measure(), { headers: { 'Content-Type': metrics.registry.contentType } }),
    }),
  ];
}

async function judgeAll(checks: HealthParts['checks']): Promise<Reply> {
  const names = Object.keys(checks);
  const works = await Promise.all(names.map((name) => answers(checks[name])));
  const isReady = works.every(Boolean);
  const found = Object.fromEntries(names.map((name, i) => [name, works[i] ? 'ok' : 'failing']));
  return new Reply({ status: isReady ? 'ok' : 'failing', checks: found }, { status: isReady ? 200 : 503 });
}

async function answers(check: HealthCheck | undefined): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), PATIENCE_MS);
  });
  try {
    return await Promise.race([Promise.resolve(check?.() ?? false), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
