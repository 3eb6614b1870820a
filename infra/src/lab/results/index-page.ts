import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Goal } from '../bench/bench.js';
import { type ResultPage, readPage, readReasons } from './read.js';

/** The page that `npm run results` makes. */
export const INDEX = 'README.md';
const LIMITS = 'limits.md';

/**
 * The index of all pages of a folder.
 *
 * @throws Error, a sentence that names the page, when one does not have the form, or a missed goal has no section in limits.md
 */
export function indexOf(folder: string): { readonly text: string; readonly summary: string } {
  const names = readdirSync(folder).filter((name) => name.endsWith('.md') && name !== INDEX);
  const pages = names.toSorted().map((name) => readPage(name, readFileSync(join(folder, name), 'utf8')));
  const reasons = readReasons(readFileSync(join(folder, LIMITS), 'utf8'));
  const missing = pages.filter((page) => missed(page).length > 0);
  for (const page of missing) {
    if (reasons.get(topicOf(page))) continue;
    throw new Error(`docs/results/${page.name}: it misses a goal, and ${LIMITS} has no section ${topicOf(page)}.`);
  }
  const goals = pages.flatMap((page) => page.goals);
  const notMet = goals.filter(({ met }) => !met).length;
  const summary = `${pages.length} pages, ${goals.length} goals: ${goals.length - notMet} met, ${notMet} not met`;
  const text = [
    '# Results',
    '',
    `**${summary}.** Made by \`npm run results\` from the pages of this folder, and not written by hand: each page says in one form`,
    'what was run, on what, and which goals were met. What (a), (b) and (c) are, with which ours is compared, is on the page.',
    '',
    ...(notMet > 0 ? ['## Not met', '', ...missing.flatMap((page) => missedLines(page, reasons)), ''] : []),
    '## All goals',
    '',
    row(['page', 'run', 'on', 'goal', 'measured', 'met']),
    row(['---', '---', '---', '---', '---:', '---']),
    ...[...missing, ...pages.filter((page) => page.goals.length > 0 && !missing.includes(page))].flatMap(goalRows),
    ...pages.filter((page) => page.goals.length === 0).map(rowWithoutGoals),
    '',
  ].join('\n');
  return { text, summary };
}

/** Of a page, its goals that were not met. */
function missed({ goals }: ResultPage): readonly Goal[] {
  return goals.filter(({ met }) => !met);
}

/** The name of its section in limits.md. */
function topicOf({ name }: ResultPage): string {
  return name.replace(/^bench-/, '').replace(/\.md$/, '');
}

function missedLines(page: ResultPage, reasons: ReadonlyMap<string, string>): string[] {
  const topic = topicOf(page);
  return [
    `- ${link(page)} ([why](${LIMITS}#${topic})): ${reasons.get(topic)}`,
    ...missed(page).map(({ goal, measured }) => `  - ${goal}: **${measured}**`),
  ];
}

/** A row for each goal, those not met first. */
function goalRows(page: ResultPage): string[] {
  const goals = [...missed(page), ...page.goals.filter(({ met }) => met)];
  return goals.map(({ goal, measured, met }, index) => {
    const ofPage = index === 0 ? [link(page), page.run, page.on] : ['', '', ''];
    return row([...ofPage, goal, measured, met ? 'met' : `**[not met](${LIMITS}#${topicOf(page)})**`]);
  });
}

function rowWithoutGoals(page: ResultPage): string {
  return row([link(page), page.run, page.on, `no goals: ${page.noGoals}`, '', '']);
}

const link = ({ title, name }: ResultPage) => `[${title}](${name})`;

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
