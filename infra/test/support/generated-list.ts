import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { repository } from '../../../tools/local-state.mjs';

/** Expects the list between its marks in a page to be this one; with UPDATE_DOCS=1 writes it there. */
export function expectListed(page: string, name: string, list: string): void {
  const path = join(repository, page);
  const marked = new RegExp(`(?<=<!-- generated: ${name} -->\\n).*?(?=<!-- /generated -->)`, 's');
  const text = readFileSync(path, 'utf8');
  expect(text).toMatch(marked);
  if (process.env.UPDATE_DOCS)
    writeFileSync(
      path,
      text.replace(marked, () => list),
    );
  else expect(marked.exec(text)?.[0]).toBe(list);
}
