import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { repository } from '../../tools/local-state.mjs';
import { expectListed } from './support/generated-list.js';

// UPDATE_DOCS=1 npm test -- infra/test/alert-rules.test.ts    updates the list.

interface Rule {
  readonly alert: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly meaning: string; readonly action: string };
}

const { groups } = parse(readFileSync(join(repository, 'infra/deploy/prometheus/rules.yaml'), 'utf8')) as {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
};

it('docs/operations.md has each alert with what it means and what to do, as the rules have it', () => {
  const lists = groups.map(({ name, rules }) => {
    const lines = rules.map(
      ({ alert, labels, annotations: { summary, meaning, action } }) =>
        `- **${alert}**${labels.severity === 'critical' ? ' (critical)' : ''}: ${summary}. ${meaning}\n  *Do:* ${action}\n`,
    );
    return `\n**${name}**\n\n${lines.join('')}`;
  });
  expectListed('docs/operations.md', 'alerts', `${lists.join('')}\n`);
});

it('each alert has a severity, and all that a person at night needs', () => {
  for (const { alert, labels, annotations } of groups.flatMap(({ rules }) => rules)) {
    expect([alert, labels.severity]).toEqual([alert, expect.stringMatching(/^(critical|warning)$/)]);
    expect(Object.keys(annotations), alert).toEqual(['summary', 'meaning', 'action']);
  }
});

it('each page, section and heading that an alert names is there', () => {
  const rules = groups.flatMap((group) => group.rules);
  const said = rules.map(({ annotations }) => annotations.action).join('\n');
  const named = (pattern: RegExp) => new Set([...said.matchAll(pattern)].map(([, name = '']) => name));
  const operations = join(repository, 'services/operations/src');
  const sections = readdirSync(join(operations, 'sections'))
    .map((file) => readFileSync(join(operations, 'sections', file), 'utf8'))
    .join('\n');
  const page = readFileSync(join(repository, 'docs/operations.md'), 'utf8');
  const absent = [
    ...[...named(/`\/ops\/([\w-]+)`/g)].filter((name) => !existsSync(join(operations, 'pages', `${name}.ts`))),
    ...[...named(/, under ([^.;,]+)/g)].filter((title) => !sections.includes(`title: '${title}'`)),
    ...[...named(/as under ([^.;,]+)/gi)].filter(
      (heading) => !page.includes(`\n## ${heading}\n`) && !rules.some(({ alert }) => alert === heading),
    ),
  ];
  expect(absent).toEqual([]);
  expect(said).not.toMatch(/\bthe page\b/i); // which one?
});
