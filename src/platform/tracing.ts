/**
 * OpenTelemetry traces, when OTEL_EXPORTER_OTLP_ENDPOINT says where they go: a span for each request, job and batch of
 * webhooks. Without it nothing of OpenTelemetry is loaded, and a span costs a function call.
 */
import type { Attributes, Span } from '@opentelemetry/api';

/** What a piece of work may say about itself while it runs. */
export interface Note {
  rename(name: string): void;
  set(attributes: Attributes): void;
}

export interface SpanWish {
  readonly name: string;
  readonly kind?: 'server' | 'consumer';
  readonly attributes?: Attributes;
  /** Headers that may name the trace it belongs to (W3C `traceparent`). */
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Tracing {
  span<T>(wish: SpanWish, work: (note: Note) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const SILENT: Note = { rename: () => undefined, set: () => undefined };

export const NO_TRACING: Tracing = { span: (_wish, work) => work(SILENT), close: async () => undefined };

/** `endpoint`: the base address of an OTLP receiver over HTTP; null: no traces. */
export async function openTracing(endpoint: string | null, version: string): Promise<Tracing> {
  if (endpoint === null) return NO_TRACING;
  const api = await import('@opentelemetry/api');
  const { BatchSpanProcessor, NodeTracerProvider } = await import('@opentelemetry/sdk-trace-node');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { resourceFromAttributes } = await import('@opentelemetry/resources');
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'switchboard', 'service.version': version }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  // Which span is the present one is kept by the process, as OpenTelemetry wants it.
  provider.register();
  const tracer = provider.getTracer('switchboard', version);
  const KINDS = { server: api.SpanKind.SERVER, consumer: api.SpanKind.CONSUMER };

  return {
    span({ name, kind, attributes = {}, headers }, work) {
      const active = api.context.active();
      const parent = headers ? api.propagation.extract(active, headers) : active;
      const options = { attributes, kind: kind ? KINDS[kind] : api.SpanKind.INTERNAL };
      return tracer.startActiveSpan(name, options, parent, async (span) => {
        try {
          return await work(noteOf(span));
        } catch (error) {
          span.recordException(error as Error);
          span.setStatus({ code: api.SpanStatusCode.ERROR });
          throw error;
        } finally {
          span.end();
        }
      });
    },
    close: () => provider.shutdown(),
  };
}

const noteOf = (span: Span): Note => ({
  rename: (name) => void span.updateName(name),
  set: (attributes) => void span.setAttributes(attributes),
});
