import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { CommonConfig } from '../config/index.js';
import { currentCorrelationId, describeError, type Log, withCorrelation } from '../log/index.js';
import type { Recorder, Recording, SpanKind } from './recorder.js';

/** Of a span: ids, codes, counts and times; never a CPR number, name, title, file name or content. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** Records the spans of this process; undefined when tracing is off. Then a span costs a call, and nothing is loaded. */
let recorder: Recorder | undefined;

/** The span that is being recorded, or the one of another process that work here belongs to. */
interface Current {
  readonly traceparent: string;
  set?(attributes: SpanAttributes): void;
}
const current = new AsyncLocalStorage<Current | undefined>();

/** Tracing of one process. */
export interface Tracing {
  /** Sends what is left, for two seconds at most. */
  close(): Promise<void>;
}

/**
 * Begins to send spans of this process to the collector that the settings name, if they name one. What cannot be sent is
 * dropped: nothing waits for the collector.
 */
export async function openTracing(
  config: Pick<CommonConfig, 'OTEL_EXPORTER_OTLP_ENDPOINT' | 'OTEL_TRACES_SAMPLER_ARG'>,
  service: string,
  log: Log,
): Promise<Tracing> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: share } = config;
  if (endpoint === undefined) return { close: async () => {} };
  const { openRecorder } = await import('./recorder.js');
  const opened = openRecorder({ endpoint, share, service, log });
  recorder = opened;
  return {
    async close() {
      if (recorder === opened) recorder = undefined;
      await opened.close();
    },
  };
}

/** Runs a step as a span; if it fails, the span has the code of the error. */
export function span<T>(name: string, work: () => Promise<T>, options: SpanOptions = {}): Promise<T> {
  return recorder ? record(recorder, name, work, options) : work();
}

type SpanOptions = SpanAttributes & { readonly kind?: SpanKind };

async function record<T>(
  by: Recorder,
  name: string,
  work: () => Promise<T>,
  { kind, ...attributes }: SpanOptions,
): Promise<T> {
  const recording = start(by, name, kind, attributes);
  try {
    return await current.run(recording, work);
  } catch (error) {
    recording.fail(codeOf(error));
    throw error;
  } finally {
    recording.end();
  }
}

/** Adds to the span that this runs in. */
export function noteInSpan(attributes: SpanAttributes): void {
  if (recorder) current.getStore()?.set?.(attributes);
}

/** Ends the span of a request. Without its name it is nobody’s: of a path that is none, or of a probe. */
export type EndRequest = (name: string | undefined, attributes: SpanAttributes, failed: string | undefined) => void;

/**
 * Runs `work` for a request, in a span that ends when the request does.
 *
 * @param traceparent as the caller sent it; what is none is ignored. `tracestate`, which may hold anything, is not taken
 */
export function withRequest(traceparent: string | undefined, work: () => void): EndRequest {
  if (!recorder) {
    work();
    return () => {};
  }
  const parent = TRACEPARENT.test(traceparent ?? '') ? traceparent : undefined;
  const recording = start(recorder, 'request', 'server', {}, parent);
  current.run(recording, work);
  return (name, attributes, failed) => {
    if (name === undefined) return; // a span that never ends is not sent
    recording.rename(name);
    recording.set(attributes);
    if (failed !== undefined) recording.fail(failed);
    recording.end();
  };
}

function start(
  { start: begin }: Recorder,
  name: string,
  kind: SpanKind | undefined,
  attributes: SpanAttributes,
  parent = current.getStore()?.traceparent,
): Recording {
  return begin(name, kind, parent, { ...attributes, correlationId: currentCorrelationId() });
}

function codeOf(error: unknown): string {
  const { code, errorCode, error: name } = describeError(error);
  return String(code ?? errorCode ?? name);
}

/** W3C Trace Context, 3.2: version 00. */
const TRACEPARENT = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;
const TRACE = /^([\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12})(?: (00-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}))?$/;

/** The `traceparent` to send on; undefined when tracing is off. */
export const currentTraceparent = (): string | undefined => (recorder ? current.getStore()?.traceparent : undefined);

/**
 * What later work carries, in its job or row, to be known as a consequence of this: the correlation id, and the `traceparent` when
 * tracing is on. Undefined outside of requests and jobs.
 */
export function currentTrace(): string | undefined {
  const correlationId = currentCorrelationId();
  const traceparent = currentTraceparent();
  return traceparent === undefined ? correlationId : `${correlationId} ${traceparent}`;
}

/** Runs work that a request or a job has led to, given what it carried; what carries nothing begins anew. */
export function withTrace<T>(trace: unknown, work: () => T): T {
  const [, correlationId = randomUUID(), traceparent] = TRACE.exec(String(trace)) ?? [];
  const run = () => withCorrelation(correlationId, work);
  return recorder ? current.run(traceparent === undefined ? undefined : { traceparent }, run) : run();
}
