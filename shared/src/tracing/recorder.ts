// Loaded only when tracing is on: the OpenTelemetry SDK.

import {
  SpanKind as Kind,
  ROOT_CONTEXT,
  type SpanContext,
  SpanStatusCode,
  TraceFlags,
  trace as traceApi,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { describeError, type Log } from '../log/index.js';
import type { SpanAttributes } from './index.js';

export type SpanKind = 'internal' | 'server' | 'client' | 'consumer';

export interface Recording {
  readonly traceparent: string;
  set(attributes: SpanAttributes): void;
  rename(name: string): void;
  fail(code: string): void;
  end(): void;
}

export interface Recorder {
  start(name: string, kind: SpanKind | undefined, parent: string | undefined, attributes: SpanAttributes): Recording;
  close(): Promise<void>;
}

const KINDS: Readonly<Record<SpanKind, Kind>> = {
  internal: Kind.INTERNAL,
  server: Kind.SERVER,
  client: Kind.CLIENT,
  consumer: Kind.CONSUMER,
};

// A span is about 1 KiB: 2 MiB wait at most. One batch at a time is on its way; at the end all of them.
const MOST_BATCHES = 8;
const WAITING = { maxQueueSize: 2_048, maxExportBatchSize: 512, scheduledDelayMillis: 1_000 };
const ANSWER_MS = 5_000;
const CLOSE_MS = 2_000;

/** @param share of the traces that begin here; a caller that sends a traceparent has decided for its own */
export function openRecorder({
  endpoint,
  share,
  service,
  log,
}: {
  readonly endpoint: string;
  readonly share: number;
  readonly service: string;
  readonly log: Log;
}): Recorder {
  const otlp = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
    timeoutMillis: ANSWER_MS,
    concurrencyLimit: MOST_BATCHES,
  });
  const exporter = tellOnce(otlp, log);
  const provider = new TracerProvider({
    // No detectors: they would send the command line and the names of host and user.
    resource: resourceFromAttributes({ 'service.name': service, 'service.namespace': 'indbakke' }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
    spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: 2 * ANSWER_MS, ...WAITING })],
  });
  const tracer = provider.getTracer('indbakke');
  return {
    start(name, kind = 'internal', parent, attributes) {
      const context = parent ? traceApi.setSpanContext(ROOT_CONTEXT, contextOf(parent)) : ROOT_CONTEXT;
      const span = tracer.startSpan(name, { kind: KINDS[kind], attributes: prefixed(attributes) }, context);
      return {
        traceparent: traceparentOf(span.spanContext()),
        set: (more) => void span.setAttributes(prefixed(more)),
        rename: (newName) => void span.updateName(newName),
        fail: (code) => void span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', code),
        end: () => span.end(),
      };
    },
    async close() {
      const closed = provider.shutdown().catch(() => {}); // told already
      const timer = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS).unref());
      await Promise.race([closed, timer]);
    },
  };
}

const prefixed = (attributes: SpanAttributes) =>
  Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) => (value === undefined ? [] : [[`indbakke.${name}`, value]])),
  );

function contextOf(traceparent: string): SpanContext {
  const [, traceId = '', spanId = '', flags = '00'] = traceparent.split('-');
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
}

const traceparentOf = ({ traceId, spanId, traceFlags }: SpanContext) =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;

/** Logs that the collector does not take spans when that begins, and when it ends. */
function tellOnce(exporter: SpanExporter, log: Log): SpanExporter {
  let isLosing = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const fails = result.error !== undefined;
        if (fails && !isLosing) log.warn('traces-lost', describeError(result.error));
        if (!fails && isLosing) log.info('traces-sent-again');
        isLosing = fails;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}
