import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ERRORS, type ErrorRow } from '../../src/errors/index.js';
import { ATTRIBUTE_CHANGES, TRANSITIONS } from '../../src/lifecycle/index.js';

// Three tables in docs/ must be equal to the code, row by row. A failure prints the whole table as it should be; further
// columns, and the text around it, are free.

const docs = fileURLToPath(new URL('../../../docs/', import.meta.url));

/** The first table of a document that begins with these columns, as `| a | b |` lines of these columns only. */
function tableOf(file: string, columns: readonly string[], expected: readonly string[]): string[] {
  const wanted = [`| ${columns.join(' | ')} |`, ...expected].join('\n');
  if (!existsSync(docs + file)) throw new Error(`docs/${file} is missing. It must contain this table:\n${wanted}`);
  const lines = readFileSync(docs + file, 'utf8').split('\n');
  const cellsOf = (line: string) =>
    line
      .split('|')
      .slice(1, columns.length + 1)
      .map((cell) => cell.replaceAll('`', '').trim());
  const isHead = (line: string) =>
    line.startsWith('|') && cellsOf(line).join(' | ').toLowerCase() === columns.join(' | ').toLowerCase();
  const head = lines.findIndex(isHead);
  if (head < 0)
    throw new Error(`docs/${file} has no table with the columns ${columns.join(', ')}. It must be:\n${wanted}`);
  const rest = lines.slice(head + 2); // the heading, and the line under it
  const end = rest.findIndex((line) => !line.startsWith('|'));
  return rest.slice(0, end < 0 ? rest.length : end).map((line) => `| ${cellsOf(line).join(' | ')} |`);
}

describe('docs/errors.md', () => {
  it('shows every error of the code, and no other', () => {
    const retry = { true: 'yes', false: 'no', 'read-first': 'read first' } as const;
    const expected = Object.entries<ErrorRow>(ERRORS).map(
      ([code, { http, again, meaning }]) => `| ${code} | ${http} | ${retry[`${again}`]} | ${meaning} |`,
    );
    const columns = ['code', 'HTTP', 'retry', 'meaning'];
    expect(tableOf('errors.md', columns, expected)).toEqual(expected);
  });

  it('is right that the status says whose fault an error is', () => {
    for (const [code, { http, fault }] of Object.entries<ErrorRow>(ERRORS))
      expect([code, fault]).toEqual([code, http < 500 ? 'peer' : 'ours']);
  });
});

describe('docs/architecture.md', () => {
  type Row = { from: readonly string[]; to: string; roles: readonly string[] };

  it('shows every transition and who may make it, and no other', () => {
    // One row for each status from which a transition is allowed.
    const expected = Object.entries<Row>(TRANSITIONS).flatMap(([name, { from, to, roles }]) =>
      (from.length === 0 ? ['(none)'] : from).map(
        (status) => `| ${status} | ${name} | ${to === 'before' ? 'the status before' : to} | ${roles.join(', ')} |`,
      ),
    );
    const columns = ['from', 'transition', 'to', 'who may'];
    expect(tableOf('architecture.md', columns, expected).toSorted()).toEqual(expected.toSorted());
  });

  it('shows every change of an attribute and who may make it, and no other', () => {
    const expected = Object.entries<Row>(ATTRIBUTE_CHANGES).map(
      ([name, { from, roles }]) => `| ${from.join(', ')} | ${name} | ${roles.join(', ')} |`,
    );
    const columns = ['in status', 'change', 'who may'];
    expect(tableOf('architecture.md', columns, expected).toSorted()).toEqual(expected.toSorted());
  });
});
