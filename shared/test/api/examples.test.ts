import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { sendingOn } from '../../../infra/src/testkit/sending-on.js';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { DOCUMENT_EXAMPLE } from '../../src/api/examples.js';
import { type ApiDescription, type DescribedAnswer, type DescribedCall, describeApi } from '../../src/api/index.js';
import { deliverMemo, read } from '../inbox/support.js';
import { NAMES, openCalls, operationOf, send } from './calls.js';

let stack: TestStack;
let calls: Awaited<ReturnType<typeof openCalls>>;

beforeAll(async () => {
  stack = await startTestStack(sendingOn);
  calls = await openCalls(stack);
});

afterAll(async () => {
  await calls.close();
  await stack.close();
});

const description: ApiDescription = describeApi();

function described(name: string): DescribedCall {
  const found = Object.values(description.paths).flatMap((methods) => Object.values(methods));
  return found.find(({ operationId }) => operationId === name) as DescribedCall;
}

function examplesIn(place: object | undefined): object[] {
  const { content } = (place ?? {}) as Partial<DescribedAnswer>;
  return Object.values(content?.['application/json']?.examples ?? {}).map(({ value }) => value as object);
}

describe.each(NAMES)('%s', (name) => {
  const { body, answer } = operationOf(name);

  it('takes every example of its body, and answers with what the description shows', { tags: 'long' }, async () => {
    for (const call of await calls.prepare(name)) {
      const response = await send(stack, call);
      expect(response.status, await response.clone().text()).toBe(answer === undefined ? 204 : 200);
      const [example] = examplesIn(described(name).responses[response.status]);
      if (!example) return void (await response.arrayBuffer());
      const real = (await response.json()) as Real;
      expect(Object.keys(real)).toEqual(expect.arrayContaining(Object.keys(example)));
      if (operationOf(name).change) expect(real.status).toBe((example as { status: string }).status);
      if (name === 'bulkChangeIncomingDocuments') expect(real.items).toMatchObject([{ problem: null }]);
    }
  });

  it('has an example of each body and JSON answer in its description, which fits its schema', () => {
    const { requestBody, responses } = described(name);
    for (const [schema, place] of [
      [body, requestBody],
      [Array.isArray(answer) ? undefined : answer, responses[200]],
    ] as const) {
      const examples = examplesIn(place);
      expect(examples.length > 0).toBe(schema !== undefined);
      for (const example of examples) strict(schema as z.ZodObject).parse(example);
    }
  });
});

it('the example of a message shows what an assigned one has', async () => {
  const id = await deliverMemo(stack);
  const options = { version: 1, body: { assignee: DOCUMENT_EXAMPLE.assignee } };
  expect((await stack.call('PUT', `/incoming-documents/${id}/assignment`, options)).status).toBe(200);
  const { allowed, history } = await read(stack, id);
  expect(DOCUMENT_EXAMPLE.allowed).toEqual(allowed);
  expect(DOCUMENT_EXAMPLE.history.at(-1)?.details).toEqual(history.at(-1)?.details);
});

interface Real {
  readonly status?: string;
  readonly items?: object[];
}

const strict = (schema: z.ZodObject) => ('strict' in schema ? schema.strict() : schema);
