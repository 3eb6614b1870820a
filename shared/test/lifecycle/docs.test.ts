import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ERRORS, type ErrorRow } from '../../src/errors/index.js';
import { ATTRIBUTE_CHANGES, TRANSITIONS } from '../../src/lifecycle/index.js';

// Three lists in docs/ must be equal to the code, item by item. A failure prints the whole list as it should be.

const docs = fileURLToPath(new URL('../../../docs/', import.meta.url));

/** The items of a section of a document, or of a part of it. */
function itemsOf(file: string, section: string, before = ''): string[] {
  const text =
    readFileSync(docs + file, 'utf8')
      .split(`\n## ${section}\n`)[1]
      ?.split('\n## ')[0] ?? '';
  const part = before === '' ? text : (text.split(`\n${before}\n`)[1] ?? '');
  return part.split('\n').filter((line) => line.startsWith('- '));
}

describe('docs/errors.md', () => {
  it('shows every error of the code, and no other', () => {
    const retry = { true: ', retry', false: '', 'read-first': ', read first' } as const;
    const expected = Object.entries<ErrorRow>(ERRORS).map(
      ([code, { http, again, meaning }]) => `- \`${code}\` (${http}${retry[`${again}`]}): ${meaning}`,
    );
    expect(itemsOf('errors.md', 'Codes')).toEqual(expected);
  });

  it('is right that the status says whose fault an error is', () => {
    for (const [code, { http, fault }] of Object.entries<ErrorRow>(ERRORS))
      expect([code, fault]).toEqual([code, http < 500 ? 'peer' : 'ours']);
  });
});

describe('docs/architecture.md', () => {
  const [LIFE, ATTRIBUTES] = ['The life of a message', 'Attributes:'];
  type Row = { from: readonly string[]; to: string; roles: readonly string[] };

  it('shows every transition and who may make it, and no other', () => {
    // One item for each status from which a transition is allowed.
    const expected = Object.entries<Row>(TRANSITIONS).flatMap(([name, { from, to, roles }]) =>
      (from.length === 0 ? ['(none)'] : from).map(
        (status) => `- ${status} → ${to === 'before' ? 'the status before' : to}: ${name} (${roles.join(', ')})`,
      ),
    );
    const attributes = itemsOf('architecture.md', LIFE, ATTRIBUTES);
    const shown = itemsOf('architecture.md', LIFE).filter((item) => !attributes.includes(item));
    expect(shown.toSorted()).toEqual(expected.toSorted());
  });

  it('shows every change of an attribute and who may make it, and no other', () => {
    const expected = Object.entries<Row>(ATTRIBUTE_CHANGES).map(
      ([name, { from, roles }]) => `- ${from.join(', ')}: ${name} (${roles.join(', ')})`,
    );
    expect(itemsOf('architecture.md', LIFE, ATTRIBUTES).toSorted()).toEqual(expected.toSorted());
  });
});
