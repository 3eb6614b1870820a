import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository } from '../../tools/local-state.mjs';

// What docs and comments cite must exist: links and their anchors, paths from the root of the repository, decisions.

const SKIPPED = new Set(['node_modules', 'dist', 'generated', '.git', '.indbakke', '.turbo']);
const FILES = filesIn(repository).map((path) => relative(repository, path));
const PAGES = FILES.filter((path) => /^(docs\/.*|[A-Z]+)\.md$/.test(path));
const SOURCES = FILES.filter((path) => /^\.ci\/|\.(ts|mts|mjs|prisma|sql)$/.test(path));
const DECISIONS = FILES.filter((path) => path.startsWith('docs/decisions/')).map((path) => Number(path.slice(15, 19)));

const PATH = /(?<![\w/@-])(?:\.\.\/)*((?:\.ci|docs|infra|services|shared|tools)\/[\w.*/-]*\w\/?)/g;
const LINK = /\[[^\]]*\]\(([^)\s]+)\)/g;
const DECISION = /\bdecisions? (\d+)/gi;

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !SKIPPED.has(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesIn(path) : [path];
    });
}

/** Whether a path from the root exists. `*` and NAME match any name; a decision may be cited by its number. */
function exists(path: string): boolean {
  if (path.includes('/dist/')) return true; // built
  if (path.startsWith('docs/decisions/') && /\d{4}$/.test(path)) return DECISIONS.includes(Number(path.slice(-4)));
  const pattern = path
    .replace(/\/$/, '')
    .replaceAll('.', '\\.')
    .replace(/\*|\bNAME\b/g, '[^/]+');
  return FILES.some((file) => new RegExp(`^${pattern}(/|$)`).test(file));
}

/** The anchors that GitHub gives the headings of a page. */
function anchorsOf(page: string): string[] {
  const text = readFileSync(join(repository, page), 'utf8').replace(/^```.*?^```/gms, '');
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function isBrokenLink(page: string, target: string): boolean {
  if (/^https?:/.test(target)) return false;
  const [file = '', anchor] = target.split('#');
  const path = file ? join(dirname(page), file) : page;
  if (!existsSync(join(repository, path))) return true;
  return anchor !== undefined && !anchorsOf(path).includes(anchor);
}

/** What the pattern's group matches; a placeholder in a template string is replaced by NAME. */
const matches = (text: string, pattern: RegExp) =>
  [...text.replace(/\$\{[^}]*\}/g, 'NAME').matchAll(pattern)].map(([, found = '']) => found);

/** Cited by a page, but missing. */
function missingIn(page: string, text: string): string[] {
  return [
    ...matches(text, LINK).filter((target) => isBrokenLink(page, target)),
    ...matches(text.replace(LINK, ''), PATH).filter((path) => !exists(path)),
    ...matches(text, DECISION).filter((number) => !DECISIONS.includes(Number(number))),
  ];
}

/** Cited by a source file, but missing: pages anywhere in it, other paths and decisions in comments. */
function missingInSource(text: string): string[] {
  const comments = matches(text, /(?:^|\s)(?:\/\/+|\/?\*+|#|--)\s(.*)$/gm).join('\n');
  const paths = [...matches(text, PATH).filter((path) => path.startsWith('docs/')), ...matches(comments, PATH)];
  return [
    ...paths.filter((path) => !exists(path)),
    ...matches(comments, DECISION).filter((number) => !DECISIONS.includes(Number(number))),
  ];
}

describe('the docs', () => {
  it.each(PAGES)('%s cites only what exists', (page) => {
    expect(missingIn(page, readFileSync(join(repository, page), 'utf8'))).toEqual([]);
  });

  it('name a test for each threat, which is there', () => {
    const threats = readFileSync(join(repository, 'docs/security.md'), 'utf8')
      .split('\n')
      .filter((line) => /^\| [A-Z]/.test(line))
      .map((line) => line.split(' | ').at(-1)?.replace(/ \|$/, '') ?? '');
    expect(threats.length).toBeGreaterThan(25);
    const missing = threats.filter((shown) => {
      const [, file = '', name = ''] = /^`([^`]+\.test\.ts)`: (.+)$/.exec(shown) ?? [];
      return (
        !existsSync(join(repository, file)) ||
        name === '' ||
        !readFileSync(join(repository, file), 'utf8').includes(name)
      );
    });
    expect(missing).toEqual([]);
  });

  it('contain everything that source files cite', () => {
    const missing = SOURCES.filter((path) => path !== 'infra/test/docs.test.ts').flatMap((path) =>
      missingInSource(readFileSync(join(repository, path), 'utf8')).map((cited) => `${path}: ${cited}`),
    );
    expect(missing).toEqual([]);
  });

  it('a wrong link, anchor, path or decision is found', () => {
    const wrong =
      '[a](errors.md#codes) [b](gone.md) [c](errors.md#gone) `shared/src/gone` `services/*/src/app.ts` decision 99';
    expect(missingIn('docs/operations.md', wrong)).toEqual(['gone.md', 'errors.md#gone', 'shared/src/gone', '99']);
    const source = "const a = 'docs/gone.md'; // see shared/src/store, shared/src/gone and docs/decisions/0099";
    expect(missingInSource(source)).toEqual([
      'docs/gone.md',
      'docs/decisions/0099',
      'shared/src/gone',
      'docs/decisions/0099',
    ]);
  });
});
