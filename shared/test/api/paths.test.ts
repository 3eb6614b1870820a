import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { OPERATIONS, type Operation } from '../../src/api/index.js';

// UPDATE_DOCS=1 npm test -- shared/test/api/paths.test.ts    updates the list.

const PAGE = fileURLToPath(new URL('../../../docs/architecture.md', import.meta.url));
const MARKED = /(?<=<!-- generated: paths -->\n).*?(?=<!-- \/generated -->)/s;

const operations = Object.values<Operation>(OPERATIONS);
const rows = new Set(
  operations.map(({ path, service }) => `- \`${path.replaceAll(/:(\w+)/g, '{$1}')}\`: ${service}\n`),
);

it('no path belongs to two services', () => {
  expect(rows.size).toBe(new Set(operations.map(({ path }) => path)).size);
});

it('docs/architecture.md shows which service answers which path', () => {
  const list = `\n${[...rows].join('')}\n`;
  const page = readFileSync(PAGE, 'utf8');
  if (process.env.UPDATE_DOCS)
    writeFileSync(
      PAGE,
      page.replace(MARKED, () => list),
    );
  else expect(MARKED.exec(page)?.[0]).toBe(list);
});
