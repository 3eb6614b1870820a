import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { REASONS } from '../../src/readiness/index.js';

// UPDATE_DOCS=1 npm test -- shared/test/service/readiness-docs.test.ts    updates the lists.

const PAGE = fileURLToPath(new URL('../../../docs/operations.md', import.meta.url));
const MARKED = /(?<=<!-- generated: readiness -->\n).*?(?=<!-- \/generated -->)/s;

it('docs/operations.md lists every state of /readyz, and what to do', () => {
  // `failing` is said once for all.
  const lists = Object.entries(REASONS).map(([part, reasons]) => {
    const others = Object.entries(reasons).filter(([state]) => state !== 'failing');
    const usual = others[0]?.[1].http;
    const lines = others.map(
      ([state, { http, meaning }]) => `- \`${state}\`${http === usual ? '' : ` (${http})`}: ${meaning}\n`,
    );
    return `\n**${part}** (${usual})\n\n${lines.join('')}`;
  });
  const list = `${lists.join('')}\n`;
  const page = readFileSync(PAGE, 'utf8');
  if (process.env.UPDATE_DOCS)
    writeFileSync(
      PAGE,
      page.replace(MARKED, () => list),
    );
  else expect(MARKED.exec(page)?.[0]).toBe(list);
});
