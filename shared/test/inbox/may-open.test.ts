import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Role } from '../../src/access/index.js';
import { mayOpen, NOT_RULED, openingOf, requireOpen, type Scanning, scanOf } from '../../src/inbox/may-open.js';
import type { KeptScan } from '../../src/lifecycle/index.js';

const HOLDS: Scanning = { isOn: true, letsPass: false };
const LETS_PASS: Scanning = { isOn: true, letsPass: true };
const OFF: Scanning = { isOn: false, letsPass: false };

it.each([
  [null, HOLDS, 'not-scanned', 'open'],
  [null, OFF, 'not-scanned', 'open'],
  ['waiting', HOLDS, 'waiting', 'held'],
  ['waiting', LETS_PASS, 'waiting', 'held'],
  ['waiting', OFF, 'not-scanned', 'open'],
  ['let-pass', HOLDS, 'waiting', 'held'],
  ['let-pass', LETS_PASS, 'not-scanned', 'open'],
  ['let-pass', OFF, 'not-scanned', 'open'],
  ['clean', HOLDS, 'clean', 'open'],
  ['clean', OFF, 'clean', 'open'],
  ['infected', HOLDS, 'infected', 'unsafe'],
  ['infected', LETS_PASS, 'infected', 'unsafe'],
  ['infected', OFF, 'infected', 'unsafe'],
  ['unscannable', HOLDS, 'unscannable', 'unsafe'],
  ['unscannable', OFF, 'unscannable', 'unsafe'],
] as const)('a file kept as %s, with %j, is %s: %s', (scan, scanning, is, opening) => {
  expect([scanOf(scanning, { scan }), openingOf(scanning, { scan })]).toEqual([is, opening]);
});

describe('the role for unsafe files', () => {
  const by = (...roles: Role[]) => ({ roles: new Set(roles) });
  const ROLE = by('Indbakke.UsikreFiler');
  const OTHERS = by('IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle', 'Indbakke.Drift', 'Indbakke.Karantæne');

  it.each([
    ['infected', true, false],
    ['unscannable', true, false],
    ['waiting', false, false],
    ['clean', true, true],
  ] as const)('of a file that is %s opens it: %s; no other role: %s', (scan: KeptScan, itDoes, othersDo) => {
    expect([mayOpen(HOLDS, { scan }, ROLE), mayOpen(HOLDS, { scan }, OTHERS)]).toEqual([itDoes, othersDo]);
    const opens = (caller?: typeof ROLE) => () => requireOpen(HOLDS, { scan }, caller);
    for (const [caller, does] of [
      [ROLE, itDoes] as const,
      [OTHERS, othersDo] as const,
      [undefined, othersDo] as const,
    ]) {
      if (does) expect(opens(caller)()).toEqual({ scan });
      else expect(opens(caller)).toThrow(scan === 'waiting' ? 'file-held' : 'file-unsafe');
    }
  });
});

// A reader of content takes only what came through one of two functions; the compiler sees to that. This is where they are called.

const WAYS_OUT: Readonly<Record<string, readonly string[]>> = {
  'services/journaler/src/inbox/send-file.ts': ['requireOpen'],
  'services/journaler/src/inbox/read-text.ts': ['requireOpen'],
  // Zips of one message, of many, and access packages.
  'shared/src/zip/stored-files.ts': ['requireOpen'],
  'services/receiver/src/sf2900/sending/outgoing-file.ts': ['requireOpen', 'requireOpen'],
};
const NOT_OUT: Readonly<Record<string, readonly string[]>> = {
  'services/journaler/src/scan/scan-files.ts': ['scan'],
  // A file that came later, and a message that another municipality takes.
  'shared/src/inbox/copy-files.ts': ['reseal'],
  'services/operations/src/ledger/read-content.ts': ['verify'],
  'shared/src/inbox/sealed-content.ts': ['made'],
  'services/receiver/src/quarantine/quarantine.ts': ['made'],
};

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SERVICES = ['archiver', 'journaler', 'operations', 'receiver'].map((name) => `services/${name}/src`);

async function sources(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const folder of ['shared/src', ...SERVICES, 'infra/src']) {
    const names = await readdir(ROOT + folder, { recursive: true });
    for (const name of names.filter((each) => each.endsWith('.ts'))) {
      const path = `${folder}/${name}`;
      if (path !== 'shared/src/inbox/may-open.ts') found.set(path, await readFile(ROOT + path, 'utf8'));
    }
  }
  return found;
}

it('these are all the places that open files', async () => {
  const ruled: Record<string, string[]> = {};
  const anyway: Record<string, string[]> = {};
  for (const [path, text] of await sources()) {
    const calls = [...text.matchAll(/\brequireOpen\(/g)].map(() => 'requireOpen');
    if (calls.length > 0) ruled[path] = calls;
    const reasons = [...text.matchAll(/\bopenAnyway\([^;]*?, '(\w+)'\)/g)].map(([, why]) => why as string);
    if (text.includes('openAnyway(')) anyway[path] = reasons;
    expect(text.includes(' as Openable'), path).toBe(false);
  }
  expect(ruled).toEqual(WAYS_OUT);
  expect(anyway).toEqual(NOT_OUT);
  expect([...new Set(Object.values(NOT_OUT).flat())].sort()).toEqual(Object.keys(NOT_RULED).sort());
});

it('only these read sealed bytes themselves', async () => {
  const readers = [...(await sources())].filter(([, text]) => /\bopenSealedFile\(/.test(text)).map(([path]) => path);
  expect(readers.filter((path) => !path.startsWith('shared/src/content/'))).toEqual([
    'shared/src/inbox/read-content.ts',
  ]);
});
