import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { repository } from '../../tools/local-state.mjs';

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
  readonly hashes?: readonly object[];
  readonly licenses?: readonly { readonly license?: { readonly id?: string }; readonly expression?: string }[];
}

// All go with the EUPL (its appendix, and permissive ones).
// EPL-2.0 is elkjs, of Prisma’s command, which no service loads.
const LICENCES = /^(?:MIT|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|BlueOak-1\.0\.0|Unlicense|OFL-1\.1|EPL-2\.0)$/;

// In a file of the package, or in words that npm does not know.
const LOOKED_AT: Record<string, string> = {
  'png-js': 'MIT',
  'seq-queue': 'MIT',
  '@visx/vendor': 'MIT AND ISC',
  ssh2: 'MIT',
  'cpu-features': 'MIT',
  buildcheck: 'MIT',
};

it('names each dependency that runs, with its bytes, and none of another licence than we may use', () => {
  const text = execFileSync('npm', ['run', '-s', 'sbom'], {
    cwd: repository,
    encoding: 'utf8',
    maxBuffer: 100_000_000,
  });
  const { bomFormat, components } = JSON.parse(text) as { bomFormat: string; components: readonly Component[] };
  expect(bomFormat).toBe('CycloneDX');
  const isForDevelopment = ({ properties = [] }: Component) =>
    properties.some(({ name, value }) => name === 'cdx:npm:package:development' && value === 'true');
  const others = components.filter((each) => !each['bom-ref'].startsWith('@indbakke/') && !isForDevelopment(each));
  expect(others.map(({ name }) => name)).toEqual(expect.arrayContaining(['express', 'jose', 'pg', 'zod']));
  expect(others.map(({ name }) => name)).not.toContain('vitest');
  expect(others.filter(({ hashes = [] }) => hashes.length === 0)).toEqual([]);
  const licencesOf = ({ name, licenses = [] }: Component) =>
    (LOOKED_AT[name] ?? licenses.map(({ license, expression }) => expression ?? license?.id).join(' AND '))
      .replace(/[()]/g, '')
      .split(' AND ');
  const wrong = others.filter((each) => !licencesOf(each).every((id) => LICENCES.test(id)));
  expect(wrong.map((each) => `${each.name} ${each.version}: ${licencesOf(each)}`)).toEqual([]);
});
