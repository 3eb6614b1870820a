import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendingOn } from '../../../infra/src/testkit/sending-on.js';
import { startTestStack, type TestStack, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import { ROLES, type Role, roleSheet } from '../../src/access/index.js';
import { OPERATIONS, type Operation } from '../../src/api/index.js';
import { auditOf, expectProblem } from '../inbox/support.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack(sendingOn);
});

afterAll(() => stack.close());

/**
 * The operation on something that does not exist, or on the caller: an authorised caller passes the check of roles, but nothing
 * more.
 */
function call(operation: Operation, roles: readonly string[], municipality?: string): Promise<Response> {
  const { method, path, body, isOfInstallation = false } = operation;
  const target = path.replace('/api/v1', '').replace(':userId', 'visitor').replaceAll(/:\w+/g, randomUUID());
  return stack.call(method.toUpperCase(), target, {
    as: { user: 'visitor', roles, operator: isOfInstallation, ...(municipality !== undefined && { municipality }) },
    version: 1,
    ...(body && { body: { reason: 1 } }),
  });
}

describe.each(Object.entries<Operation>(OPERATIONS))('%s', (_name, operation) => {
  const { method, path, roles } = operation;

  it('is refused to a caller with all other roles, and the refusal is audited', async () => {
    const others = Object.keys(ROLES).filter((role) => !roles.includes(role as Role));
    const problem = await expectProblem(await call(operation, others), 403, 'role-missing');
    for (const role of roles) expect(problem.detail).toContain(role);
    expect((await auditOf(stack, { action: 'refused' })).at(-1)).toMatchObject({
      actor: 'visitor',
      result: 'role-missing',
      details: { call: `${method} ${path}` },
    });
  });

  it('is refused to a caller without roles', async () => {
    await expectProblem(await call(operation, []), 403, 'role-missing');
  });

  it('is refused to a caller without a token, before anything else is checked', async () => {
    const response = await fetch(`${stack.url}${path.replaceAll(/:\w+/g, 'x')}`, { method: method.toUpperCase() });
    await expectProblem(response, 401, 'not-signed-in');
  });

  it.each(roles)('is open to %s', async (role) => {
    for (const municipality of [undefined, VESTERSUND]) {
      const { status } = await call(operation, [role], municipality);
      expect([200, 204, 400, 404]).toContain(status);
    }
  });

  it('is not to be cached', async () => {
    const response = await call(operation, roles);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });
});

it('docs/roller.md is the page of roles that the code makes', () => {
  const page = new URL('../../../docs/roller.md', import.meta.url);
  expect(readFileSync(page, 'utf8')).toBe(roleSheet());
});

it('the contract names only existing roles', () => {
  const named = Object.values<Operation>(OPERATIONS).flatMap(({ roles }) => roles);
  expect(Object.keys(ROLES)).toEqual(expect.arrayContaining(named));
});
