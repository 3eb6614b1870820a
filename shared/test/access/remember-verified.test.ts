import { randomUUID } from 'node:crypto';
import { beforeEach, expect, it } from 'vitest';
import { rememberVerified, type Verified } from '../../src/access/remember-verified.js';
import { Problem } from '../../src/errors/index.js';

let time: number;
let verified: string[];
let issued: Map<string, Verified>;

const { verify } = rememberVerified(
  async (token) => {
    verified.push(token);
    const known = issued.get(token);
    if (!known || time >= known.validUntil) throw new Problem('not-signed-in', 'The token has expired.');
    return known;
  },
  () => time,
);

/** Issues a token that is valid for this many seconds. */
function issue(seconds: number): string {
  const token = randomUUID();
  const actor = { kind: 'user', id: token } as const;
  const revocable = { issuer: 'x', user: token, issuedAt: 0 };
  const identity = { actor, teams: [], home: undefined, grants: new Map(), voided: [], lacks: undefined, revocable };
  issued.set(token, { identity, validUntil: time + seconds * 1_000 });
  return token;
}

beforeEach(() => {
  time = 1_800_000_000_000;
  verified = [];
  issued = new Map();
});

it('verifies a token once in 30 seconds', async () => {
  const token = issue(3_600);
  await verify(token);
  time += 29_999;
  await verify(token);
  expect(verified).toEqual([token]);
  time += 1;
  await verify(token);
  expect(verified).toEqual([token, token]);
});

it('refuses a token that expires while it is remembered', async () => {
  const token = issue(5);
  await verify(token);
  time += 5_000;
  await expect(verify(token)).rejects.toMatchObject({ code: 'not-signed-in' });
});

it('remembers no refusal', async () => {
  const token = randomUUID();
  await expect(verify(token)).rejects.toMatchObject({ code: 'not-signed-in' });
  const { identity, validUntil } = issued.get(issue(60)) as Verified;
  issued.set(token, { identity, validUntil });
  await expect(verify(token)).resolves.toBe(identity);
});

it('gives each token its own caller', async () => {
  const tokens = [1, 2, 3].map(() => issue(60));
  for (const token of [...tokens, ...tokens]) await expect(verify(token)).resolves.toBe(issued.get(token)?.identity);
  expect(verified).toEqual(tokens);
});

it('forgets the token that was verified longest ago when there are more than a thousand', async () => {
  const tokens = Array.from({ length: 1_001 }, () => issue(60));
  for (const token of tokens) await verify(token);
  verified = [];
  await verify(tokens[1] as string);
  await verify(tokens[0] as string);
  expect(verified).toEqual([tokens[0]]);
});
