import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLog } from '@indbakke/shared/log';
import { noteInSpan, openTracing, span } from '@indbakke/shared/tracing';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../src/local/free-port.js';
import { type CollectedSpan, type Collector, startCollector } from '../src/testkit/collector.js';
import { ODENSKOV, startTestStack, type TestStack } from '../src/testkit/stack.js';
import { type MemoSpec, writeMemo } from '../src/testkit/write-memo.js';

// @module-tag long

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const CALLER = `00-${TRACE_ID}-b7ad6b7169203331-01`;

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function collect(): Promise<Collector> {
  const collector = await startCollector();
  ends.push(() => collector.close());
  return collector;
}

async function stackWith(env: Record<string, string> = {}): Promise<TestStack> {
  const stack = await startTestStack({ WEBHOOK_ALLOW: '127.0.0.1', ...env });
  ends.push(() => stack.close());
  return stack;
}

/** A webhook of the municipality, and the headers of what it gets. */
async function hook(stack: TestStack): Promise<IncomingHttpHeaders[]> {
  const received: IncomingHttpHeaders[] = [];
  const server = createServer((req, res) => {
    received.push(req.headers);
    req.resume().on('end', () => res.writeHead(204).end());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ends.push(async () => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  const answer = await stack.call('POST', '/webhooks', { as: { roles: ['Indbakke.Opsætning'] }, body: { url } });
  expect(answer.status).toBe(200);
  return received;
}

/** A reply to a letter of a case, which gets a suggestion. */
async function reply(stack: TestStack): Promise<MemoSpec> {
  const [sent, caseId] = [randomUUID(), 'BF-1'];
  const core = { system: true, roles: ['Indbakke.System' as const] };
  await stack.call('PUT', `/cases/${caseId}`, { as: core, body: { caseworker: 'caseworker-1', parties: [] } });
  await stack.call('PUT', `/sent-messages/${sent}`, { as: core, body: { caseId } });
  return {
    replyData: [{ messageUUID: randomUUID(), replyUUID: sent, senderID: ODENSKOV, generatingSystemID: 'DUBU' }],
  };
}

const named = (spans: readonly CollectedSpan[], name: string) => spans.filter((each) => each.name === name);

describe('from a receipt to its webhooks', () => {
  it('it is one trace, which the caller began: steps, job and webhooks, each with the correlation id and nothing but ids, codes and counts', async () => {
    const collector = await collect();
    const stack = await stackWith({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const webhooks = await hook(stack);
    const memo = writeMemo(await reply(stack));
    const correlationId = randomUUID();

    const answer = await stack.deliver(memo, { traceparent: CALLER, 'x-transaktionsid': correlationId });

    expect(answer.status).toBe(200);
    const spans = await expect
      .poll(() => collector.spans().filter(({ traceId }) => traceId === TRACE_ID), { timeout: 15_000 })
      .toSatisfy((each: CollectedSpan[]) => named(each, 'send-webhook').length === 2)
      .then(() => collector.spans().filter(({ traceId }) => traceId === TRACE_ID));
    const [receipt] = named(spans, 'POST /sf1606/PostModtag') as [CollectedSpan];
    const childrenOf = ({ spanId }: CollectedSpan) =>
      spans.filter(({ parentSpanId }) => parentSpanId === spanId).map(({ name }) => name);
    expect(receipt.parentSpanId).toBe('b7ad6b7169203331');
    expect(childrenOf(receipt).sort()).toEqual(['commit', 'deliver-webhook', 'read', 'seal', 'suggest-case']);
    const [suggestion] = named(spans, 'suggest-case') as [CollectedSpan];
    expect(childrenOf(suggestion)).toEqual(['deliver-webhook']); // of the event that it made
    expect(new Set(spans.map(({ attributes }) => attributes['indbakke.correlationId']))).toEqual(
      new Set([correlationId]),
    );
    expect(receipt.attributes).toMatchObject({
      'indbakke.outcome': 'accepted',
      'indbakke.status': '200',
      'indbakke.municipality': ODENSKOV,
      'indbakke.messageId': expect.stringMatching(/^[\da-f-]{36}$/),
    });
    expect(spans.filter(({ isError }) => isError)).toEqual([]);
    const sent = named(spans, 'send-webhook').map(({ spanId }) => `00-${TRACE_ID}-${spanId}-01`);
    expect(webhooks.map(({ traceparent }) => traceparent).sort()).toEqual(sent.sort());
  });

  it('what has no traceparent, or a wrong one, begins a trace of its own; a probe is none', async () => {
    const collector = await collect();
    const stack = await stackWith({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    for (const traceparent of ['x', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, `${CALLER}-more`])
      await stack.deliver('<x/>', { traceparent });
    await fetch(`${stack.url}/readyz`);
    await expect.poll(() => collector.spans().filter(({ parentSpanId }) => !parentSpanId).length).toBe(3);

    const roots = collector.spans().filter(({ parentSpanId }) => !parentSpanId);
    expect(roots.map(({ name, attributes }) => [name, attributes['indbakke.code']])).toEqual(
      Array.from({ length: 3 }, () => ['POST /sf1606/PostModtag', 'not-memo']),
    );
    expect(new Set(roots.map(({ traceId }) => traceId)).size).toBe(3);
    expect(
      named(collector.spans(), 'read').map(({ isError, attributes }) => [isError, attributes['error.type']]),
    ).toEqual(Array.from({ length: 3 }, () => [true, 'not-memo']));
  });

  it('the correlation id goes along without tracing too: in the job, the event and the delivery to the webhook', async () => {
    const stack = await stackWith();
    const webhooks = await hook(stack);
    const correlationId = randomUUID();

    await stack.deliver(writeMemo(await reply(stack)), { 'x-transaktionsid': correlationId, traceparent: CALLER });

    await expect.poll(() => webhooks.length, { timeout: 15_000 }).toBe(2);
    for (const table of [`events WHERE type IN ('accepted', 'suggested')`, 'webhook_deliveries', 'bullmq.job'])
      expect(
        await stack.sql(
          `SELECT DISTINCT ${table === 'bullmq.job' ? `data::jsonb->>'trace'` : 'trace'} AS trace FROM ${table}`,
        ),
      ).toEqual([{ trace: correlationId }]);
    expect(webhooks.map(({ traceparent }) => traceparent)).toEqual([undefined, undefined]);
  });
});

describe('the share of requests that are traced', () => {
  it('is 0: none, but those whose caller traces', async () => {
    const collector = await collect();
    const stack = await stackWith({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_SAMPLER_ARG: '0' });
    await stack.deliver(writeMemo());
    await stack.deliver(writeMemo(), { traceparent: CALLER.replace(/01$/, '00') });
    await stack.deliver(writeMemo(), { traceparent: CALLER });
    await expect.poll(() => named(collector.spans(), 'commit').length, { timeout: 5_000 }).toBe(1);

    await ends.pop()?.(); // the stack sends what is left

    expect(new Set(collector.spans().map(({ traceId }) => traceId))).toEqual(new Set([TRACE_ID]));
  });
});

describe('a collector that is away', () => {
  it('fails no delivery', async () => {
    const stack = await stackWith({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}` });
    const answers = await Promise.all(Array.from({ length: 50 }, () => stack.deliver(writeMemo())));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('costs bounded memory: what it does not take is dropped', async () => {
    const collector = await collect();
    collector.hold();
    const tracing = await openTracing(
      { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_SAMPLER_ARG: 1 },
      'test',
      createLog('test', 'silent'),
    );
    for (let n = 0; n < 20_000; n += 1) await span('step', async () => noteInSpan({ n }));
    collector.release();
    await tracing.close();

    // 2048 that waited, and a batch of 512 on its way.
    expect(collector.spans().length).toBeGreaterThan(0);
    expect(collector.spans().length).toBeLessThanOrEqual(2_048 + 512);
  });
});

it('without the setting nothing of the SDK of OpenTelemetry is loaded', () => {
  const script = `
    import { createRequire } from 'node:module';
    import '@indbakke/shared/service';
    import { openTracing, span } from '@indbakke/shared/tracing';
    const tracing = await openTracing(JSON.parse(process.argv[1]), 'test', {});
    await span('step', async () => {});
    console.log(Object.keys(createRequire(import.meta.url).cache).filter((file) => /@opentelemetry.(sdk|exporter|otlp)/.test(file)).length > 0);
    process.exit();`;
  const isLoaded = (config: object) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', script, JSON.stringify(config)], {
      cwd: new URL('..', import.meta.url),
      encoding: 'utf8',
    }).stdout;

  expect(isLoaded({})).toBe('false\n');
  expect(isLoaded({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_TRACES_SAMPLER_ARG: 1 })).toBe('true\n');
});
