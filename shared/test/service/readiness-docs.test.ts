import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { REASONS } from '../../src/readiness/index.js';

// UPDATE_DOCS=1 npm test -- shared/test/service/readiness-docs.test.ts    updates the table.

const PAGE = fileURLToPath(new URL('../../../docs/operations.md', import.meta.url));
const MARKED = /(?<=<!-- generated: readiness -->\n).*?(?=<!-- \/generated -->)/s;

it('docs/operations.md lists every state of /readyz, and what to do', () => {
  const rows = Object.entries(REASONS).flatMap(([part, reasons]) =>
    Object.entries(reasons).map(([state, { http, meaning }]) => `| ${part} | \`${state}\` | ${http} | ${meaning} |\n`),
  );
  const table = `\n| part | state | answer | means, and what to do |\n| --- | --- | --- | --- |\n${rows.join('')}\n`;
  const page = readFileSync(PAGE, 'utf8');
  if (process.env.UPDATE_DOCS)
    writeFileSync(
      PAGE,
      page.replace(MARKED, () => table),
    );
  else expect(MARKED.exec(page)?.[0]).toBe(table);
});
