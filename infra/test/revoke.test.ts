// @module-tag long
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { LOCAL_ISSUER } from '@indbakke/shared/config';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { signToken } from '../../shared/test/access/sign.js';
import { LOCAL_OPERATIONS_AUDIENCE } from '../src/local/issuer.js';
import { ODENSKOV, startTestStack, type TestStack } from '../src/testkit/stack.js';

// npm run revoke: what it revokes is refused by the services that run.

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

const now = () => Math.floor(Date.now() / 1_000);
const CLAIMS = { municipality: ODENSKOV, roles: ['IndkomneDokumenter.Læs'] };
const tokenWith = (claims: Record<string, unknown>) =>
  signToken(stack.env, { sub: 'user-1', iat: now(), ...CLAIMS, ...claims });
const callWith = async (token: string) =>
  (await fetch(`${stack.url}/api/v1/incoming-documents`, { headers: { authorization: `Bearer ${token}` } })).status;

function run(args: readonly string[], input = '') {
  const command = fileURLToPath(new URL('../dist/local/revoke.js', import.meta.url));
  const env = { ...process.env, ...stack.env };
  return spawnSync(process.execPath, [command, ...args], { env, input, encoding: 'utf8' });
}

it('revokes a token that comes on standard input, and no other', async () => {
  const [token, other] = [await tokenWith({ jti: randomUUID() }), await tokenWith({ jti: randomUUID() })];
  expect(run([], `${token}\n`)).toMatchObject({
    status: 0,
    stdout: 'The token is revoked: it is refused within 30 seconds.\n',
  });
  expect([await callWith(token), await callWith(other)]).toEqual([401, 200]);
  const audited = await stack.sql(
    `SELECT municipality, actor, details FROM audit_events WHERE action = 'sign-in-revoked'`,
  );
  expect(audited).toEqual([{ municipality: 'installation', actor: 'revoke', details: { kind: 'token' } }]);
});

it('revokes all tokens of a sign-in', async () => {
  const sid = randomUUID();
  const tokens = await Promise.all([
    tokenWith({ sid }),
    tokenWith({ sid, jti: 'x' }),
    tokenWith({ sid: randomUUID() }),
  ]);
  expect(run(['--session', sid]).status).toBe(0);
  expect(await Promise.all(tokens.map(callWith))).toEqual([401, 401, 200]);
});

it('revokes an operator’s token', async () => {
  const claims = { sub: 'operator-1', roles: ['Indbakke.Drift'], jti: randomUUID() };
  const token = await signToken(stack.env, claims, { audience: LOCAL_OPERATIONS_AUDIENCE });
  const open = async (path: string) =>
    (await fetch(stack.url + path, { headers: { authorization: `Bearer ${token}` } })).status;
  const both = async () => [await open('/ops'), await open('/api/v1/quarantine')];
  expect(await both()).toEqual([200, 200]);
  expect(run([], token).status).toBe(0);
  expect(await both()).toEqual([401, 401]);
});

it('revokes what a user has, and not what that user gets later', async () => {
  const sub = randomUUID();
  const tokens = await Promise.all([
    tokenWith({ sub }),
    tokenWith({ sub, iat: undefined }),
    tokenWith({ sub, iat: Date.now() }), // in milliseconds
    tokenWith({ sub, iat: 1e300 }),
    tokenWith({ sub: randomUUID() }),
    tokenWith({ sub, iat: now() + 60 }),
  ]);
  expect(run(['--user', sub]).status).toBe(0);
  expect(await Promise.all(tokens.map(callWith))).toEqual([401, 401, 401, 401, 200, 200]);
});

it('of another issuer revokes nothing of this one', async () => {
  const sid = randomUUID();
  expect(run(['--session', sid, '--issuer', 'https://login.example.dk']).status).toBe(0);
  expect(await callWith(await tokenWith({ sid }))).toBe(200);
  expect(run(['--session', sid, '--issuer', LOCAL_ISSUER]).status).toBe(0);
  expect(await callWith(await tokenWith({ sid }))).toBe(401);
});

it.each<[string, string[], string, RegExp]>([
  ['nothing', [], '', /^Name what to revoke\./],
  ['both', ['--session', 'a', '--user', 'b'], '', /^Name one of them\./],
  ['what is no token', [], 'x', /^Standard input is not a token\.$/m],
])('says what is wrong with %s', (_name, args, input, message) => {
  const { status, stderr } = run(args, input);
  expect(status).toBe(1);
  expect(stderr).toMatch(message);
});

it('says what to do with a token that has no id', async () => {
  const { status, stderr } = run([], await tokenWith({}));
  expect(status).toBe(1);
  expect(stderr).toBe('The token has no jti. Revoke its session (--session) or its user (--user).\n');
});
