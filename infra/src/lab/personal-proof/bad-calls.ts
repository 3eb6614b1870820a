import { randomUUID } from 'node:crypto';
import { OPERATIONS, type Operation } from '@indbakke/shared/api';
import type { OwnInstallation } from '../plants/installation.js';
import { Callers } from '../plants/pass-through.js';
import type { Plants } from './plants.js';

/** What one call carries beside what it needs. */
interface Planted {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The name of its unknown fields. */
  readonly unknown?: string;
}

const JSON_TYPE = { 'content-type': 'application/json' };

/**
 * Every call of the API, with something personal in each place where it does not belong: path, query, headers, body; and where it
 * belongs, of a message that is not there.
 *
 * @returns the answers that refuse, none of which may have it
 */
export async function callBadly(installation: OwnInstallation, plants: Plants): Promise<string[]> {
  const { url, signal } = installation;
  const callers = new Callers(installation);
  const tokens = { caller: await callers.token(), operator: await callers.operatorsToken() };
  const answers: string[] = [];
  const send = async ({ method }: { readonly method: string }, { path, headers, body, unknown }: Planted) => {
    const hasBody = body !== undefined && method !== 'get';
    const response = await fetch(url + path, { method, headers, signal, ...(hasBody && { body }) });
    const answer = `${JSON.stringify([...response.headers])}\n${await response.text()}`;
    // The caller is told which field is unknown, if that looks like the name of one.
    if (!response.ok) answers.push(unknown === undefined ? answer : answer.replaceAll(unknown, ''));
  };
  for (const [name, operation] of Object.entries(OPERATIONS) as [string, Operation][]) {
    const token = operation.isOfInstallation ? tokens.operator : tokens.caller;
    await Promise.all(plantedCalls(name, operation, plants, token).map((planted) => send(operation, planted)));
  }
  const nowhere = plants.word('path that is none');
  for (const method of ['get', 'post', 'delete']) {
    for (const path of [`/${nowhere}`, `/api/v1/${nowhere}?x=${nowhere}`, `/ops/queues/${nowhere}`, `/%${nowhere}`])
      await send(
        { method },
        { path, headers: { authorization: `Basic ${Buffer.from(`x:${nowhere}`).toString('base64')}` } },
      );
  }
  return answers;
}

/** Of one call: each with a plant of its own in one place. */
function plantedCalls(name: string, operation: Operation, plants: Plants, token: string): Planted[] {
  const word = (what: string) => plants.word(`${name}: ${what}`);
  const authorization = `Bearer ${token}`;
  const usual = { authorization, ...(operation.change || operation.isVersioned ? { 'if-match': '"1"' } : {}) };
  const path = pathOf(operation, () => randomUUID());
  const dressed = (what: string) => `Bø "${word(what)}" & sø`;
  const fields = Object.keys(
    (operation.body && 'shape' in operation.body ? operation.body.shape : operation.query?.shape) ?? {},
  );
  const everyField = (value: (field: string) => unknown) =>
    JSON.stringify(Object.fromEntries(fields.map((field) => [field, value(field)])));
  const unknown = word('name of a field');
  return [
    { path: pathOf(operation, () => encodeURIComponent(dressed('path'))), headers: usual },
    { path: pathOf(operation, () => plants.number(`${name}: number in the path`)), headers: usual },
    { path: `${path}?${unknown}=${encodeURIComponent(dressed('query'))}`, headers: usual, unknown },
    {
      path: `${path}?cpr=${plants.number(`${name}: number in the query`)}&q=${word('q')}&limit=${word('limit')}`,
      headers: usual,
    },
    { path, headers: { ...usual, ...JSON_TYPE }, body: `{"${word('broken JSON')}": ${word('broken value')}` },
    {
      path,
      headers: { ...usual, ...JSON_TYPE },
      body: JSON.stringify({ [unknown]: dressed('unknown field') }),
      unknown,
    },
    { path, headers: { ...usual, ...JSON_TYPE }, body: everyField((field) => dressed(`text in ${field}`)) },
    {
      path,
      headers: { ...usual, ...JSON_TYPE },
      body: everyField((field) => [{ [unknown]: word(field) }]),
      unknown,
    },
    { path, headers: { ...usual, ...JSON_TYPE }, body: JSON.stringify([dressed('list')]) },
    { path, headers: { ...usual, 'content-type': `text/${word('media type')}` }, body: dressed('text') },
    { path, headers: { ...usual, 'content-type': 'text/csv' }, body: `${unknown};b\n${word('cell')};2\n`, unknown },
    {
      path,
      headers: {
        ...usual,
        'if-match': `"${word('If-Match')}"`,
        'if-none-match': `"${word('If-None-Match')}"`,
        'idempotency-key': word('Idempotency-Key'),
        'x-correlation-id': word('X-Correlation-Id'),
        'x-transaktionsid': word('x-TransaktionsId'),
        traceparent: word('traceparent'),
        tracestate: `a=${word('tracestate')}`,
        baggage: `a=${word('baggage')}`,
        range: word('Range'),
        accept: `text/${word('Accept')}`,
        'user-agent': word('User-Agent'),
        cookie: `a=${word('Cookie')}`,
        referer: `http://127.0.0.1/${word('Referer')}`,
        'x-forwarded-for': word('X-Forwarded-For'),
        ...JSON_TYPE,
      },
      body: '{}',
    },
    { path, headers: { authorization: `Bearer ${word('token')}` } },
    { path, headers: { authorization: `${word('scheme')} ${word('credentials')}` } },
  ];
}

const pathOf = ({ path }: Operation, value: () => string) => path.replaceAll(/:\w+/g, value);
