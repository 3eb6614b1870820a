import { expect, it } from 'vitest';
import { expectListed } from '../../../infra/test/support/generated-list.js';
import { OPERATIONS, type Operation } from '../../src/api/index.js';

// UPDATE_DOCS=1 npm test -- shared/test/api/paths.test.ts    updates the list.

const operations = Object.values<Operation>(OPERATIONS);
const rows = new Set(
  operations.map(({ path, service }) => `- \`${path.replaceAll(/:(\w+)/g, '{$1}')}\`: ${service}\n`),
);

it('no path belongs to two services', () => {
  expect(rows.size).toBe(new Set(operations.map(({ path }) => path)).size);
});

it('docs/architecture.md shows which service answers which path', () => {
  expectListed('docs/architecture.md', 'paths', `\n${[...rows].join('')}\n`);
});
