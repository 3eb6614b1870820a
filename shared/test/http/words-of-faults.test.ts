import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';

// Who has only the answer to go by is told what to send instead, in words of JSON.

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

const detailOf = async (method: string, path: string, body?: object) => {
  const response = await stack.call(method, path, { body });
  expect(response.status).toBe(400);
  return ((await response.json()) as { detail: string }).detail;
};

describe('a refusal', () => {
  it.each([
    ['a field that is not there', {}, 'body.name: is missing; body.filter: is missing; body.schedule: is missing.'],
    [
      'a value of another type',
      { name: 1, filter: [], schedule: { every: 'day', at: '07:30' }, keepDays: '7' },
      'body.name: must be text; body.filter: must be an object; body.keepDays: must be a number.',
    ],
    [
      'a value that is not in its list',
      { name: 'Ny', filter: { kind: 'answer' }, schedule: { every: 'month', at: '07:30' } },
      'body.filter.kind: must be reply or enquiry or forwarded; body.schedule.every: must be day or working-day or week.',
    ],
  ])('says of %s what is needed', async (_name, body, detail) => {
    expect(await detailOf('POST', '/extracts', body)).toBe(detail);
  });

  it.each(['q', 'sender', 'concerning', 'colleagues'])('of %s in a URL says which call takes it', async (filter) => {
    expect(await detailOf('GET', `/incoming-documents?${filter}=x`)).toBe(
      `query.${filter}: may be personal, so only a body may have it: POST /api/v1/incoming-documents/search.`,
    );
  });
});
