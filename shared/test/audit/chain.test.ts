import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChainedRow, chainHash } from '@indbakke/shared/audit';
import { createKeyFile, type KeyRing, loadKeyRing } from '@indbakke/shared/keys';
import { afterAll, beforeAll, expect, it } from 'vitest';

let folder: string;
let keys: KeyRing;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-chain-'));
  await createKeyFile(join(folder, 'keys.json'));
  keys = await loadKeyRing(join(folder, 'keys.json'));
});

afterAll(() => rm(folder, { recursive: true }));

const ROW: ChainedRow = {
  position: 2n,
  id: '019a0000-0000-7000-8000-000000000001',
  at: new Date('2026-11-01T00:00:00.000Z'),
  municipality: '22222222',
  actor_kind: 'user',
  actor: 'anna',
  on_behalf_of: null,
  role: null,
  origin: '192.0.2.1',
  action: 'read',
  result: 'done',
  message_id: null,
  citizen: null,
  details: { a: 1, b: { c: [1, 2], d: 'x' } },
};
const PREVIOUS = Buffer.alloc(32, 1);
const hashOf = (changed: Partial<ChainedRow> = {}, previous: Buffer | null = PREVIOUS) =>
  chainHash(keys, previous, { ...ROW, ...changed }).toString('hex');

it.each<[string, Partial<ChainedRow>]>([
  ['its position is read as text', { position: '2' }],
  ['its time is written in another zone', { at: new Date('2026-11-01T01:00:00+01:00') }],
  ['its details are in another order', { details: { b: { d: 'x', c: [1, 2] }, a: 1 } }],
])('the hash of a row is the same when %s', (_, changed) => {
  expect(hashOf(changed)).toBe(hashOf());
});

it.each<[string, Partial<ChainedRow>]>([
  ['position', { position: 3n }],
  ['time, by a millisecond', { at: new Date('2026-11-01T00:00:00.001Z') }],
  ['role, empty instead of null', { role: '' }],
  ['role, the word null', { role: 'null' }],
  ['role and origin, which change places', { role: '192.0.2.1', origin: null }],
  ['citizen', { citizen: Buffer.from([1]) }],
  ['details, a number as text', { details: { ...(ROW.details as object), a: '1' } }],
  ['details, a field that is null', { details: { ...(ROW.details as object), e: null } }],
  ['details, a list in another order', { details: { a: 1, b: { c: [2, 1], d: 'x' } } }],
  [
    'details, pairs instead of fields',
    {
      details: [
        ['a', 1],
        ['b', { c: [1, 2], d: 'x' }],
      ],
    },
  ],
])('the hash of a row is another one with another %s', (_, changed) => {
  expect(hashOf(changed)).not.toBe(hashOf());
});

it('the hash of a row is another one behind another row, or as the first', () => {
  expect(new Set([hashOf(), hashOf({}, Buffer.alloc(32, 2)), hashOf({}, null)]).size).toBe(3);
});

it('the hash of a row is the one that it always was', () => {
  const fixed: KeyRing = { ...keys, digest: (purpose, value) => Buffer.from(`${purpose} ${value}`) };
  expect(chainHash(fixed, null, ROW).toString()).toBe(
    'audit-chain-1 ["2","019a0000-0000-7000-8000-000000000001","2026-11-01T00:00:00.000Z","22222222","user","anna",null,null,' +
      '"192.0.2.1","read","done",null,null,{"a":1,"b":{"c":[1,2],"d":"x"}}]',
  );
});
