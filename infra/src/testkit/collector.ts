import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A span as a collector gets it. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly service: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly isError: boolean;
}

/** A collector of OpenTelemetry on loopback: OTLP over HTTP, in JSON. */
export interface Collector {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  /** What came, as it came. */
  readonly bodies: readonly Buffer[];
  spans(): CollectedSpan[];
  /** Answers nothing until it is released. */
  hold(): void;
  release(): void;
  close(): Promise<void>;
}

interface Otlp {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly name: string;
        readonly attributes: readonly KeyValue[];
        readonly status: { readonly code: number };
      }[];
    }[];
  }[];
}

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, string | number | boolean>>;
}

const valuesOf = (attributes: readonly KeyValue[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0] as string | number | boolean]));

const ERROR = 2; // opentelemetry.proto.trace.v1.Status

export async function startCollector(): Promise<Collector> {
  const bodies: Buffer[] = [];
  let held: ServerResponse[] | undefined;
  const answer = (res: ServerResponse) => res.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  const server = createServer(async (req, res) => {
    bodies.push(await buffer(req));
    if (held) held.push(res);
    else answer(res);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    bodies,
    spans: () =>
      bodies.flatMap((body) =>
        (JSON.parse(body.toString()) as Otlp).resourceSpans.flatMap(({ resource, scopeSpans }) =>
          scopeSpans.flatMap(({ spans }) =>
            spans.map(({ traceId, spanId, parentSpanId, name, attributes, status }) => ({
              traceId,
              spanId,
              parentSpanId: parentSpanId || undefined,
              name,
              service: String(valuesOf(resource.attributes)['service.name']),
              attributes: valuesOf(attributes),
              isError: status.code === ERROR,
            })),
          ),
        ),
      ),
    hold() {
      held = [];
    },
    release() {
      for (const res of held ?? []) answer(res);
      held = undefined;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
