import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { isInstalled } from './installed.js';

/** Without it, alert rules are not evaluated. */
export const HAS_PROMTOOL = await isInstalled('promtool', ['--version']);
if (!HAS_PROMTOOL)
  console.warn('promtool (Debian package prometheus) is not installed: alert rules are not evaluated.');

/** The values of a scrape, by series as Prometheus writes them: `name{label="value",instance="…"}`. */
export type Samples = ReadonlyMap<string, string>;

/** Reads `/metrics`, but for what Node says of itself; `instance` is the label that Prometheus would give. */
export async function scrape(url: string, instance: string): Promise<Samples> {
  return samplesOf(await (await fetch(`${url}/metrics`)).text(), instance);
}

function samplesOf(page: string, instance: string): Samples {
  const lines = page.split('\n').flatMap((line) => {
    const [, name = '', labels = '', value = ''] = /^(indbakke_\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === '' || value === 'Nan') return [];
    return [[`${name}{${[labels, `instance="${instance}"`].filter(Boolean).join(',')}}`, value] as const];
  });
  return new Map(lines);
}

export function together(...scrapes: readonly Samples[]): Samples {
  return new Map(scrapes.flatMap((samples) => [...samples]));
}

/** What Prometheus saw: one state for some minutes, then another one for good. */
export interface Course {
  readonly before: Samples;
  readonly after: Samples;
}

/** What is expected over a course. */
export interface RuleTest extends Course {
  readonly name: string;
  readonly checks: readonly Check[];
}

/** Whether an alert fires so many minutes after the change; `any` is all of them. */
export interface Check {
  readonly alert: string | 'any';
  readonly afterMinutes: number;
  readonly fires: boolean;
}

/** What promtool says of queries that are no PromQL; else nothing. */
export async function faultsOfQueries(queries: readonly string[]): Promise<string> {
  const rules = queries.map((expr, n) => ({ record: `query:${n}`, expr }));
  return promtool('check', stringify({ groups: [{ name: 'queries', rules }] }));
}

async function promtool(command: 'check' | 'test', file: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-promtool-'));
  try {
    const path = join(folder, 'rules.yaml');
    await writeFile(path, file);
    const run = promisify(execFile)('promtool', [command, 'rules', path], { maxBuffer: 2 ** 26 });
    return await run.then(
      () => '',
      (failed: { stdout: string; stderr: string }) => `${failed.stdout}${failed.stderr}`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const BEFORE_MINUTES = 10;

/** Evaluates the rules by promtool over these courses. @returns what promtool prints when it differs, else nothing */
export async function evaluateRules(rules: string, tests: readonly RuleTest[]): Promise<string> {
  const named = new Set((await readFile(rules, 'utf8')).match(/indbakke_\w+/g));
  const given = tests.map((test) => inPromtool(test, named));
  return promtool('test', stringify({ rule_files: [rules], evaluation_interval: '1m', tests: given }));
}

function inPromtool({ name, before, after, checks }: RuleTest, named: ReadonlySet<string>) {
  const minutes = Math.max(...checks.map(({ afterMinutes }) => afterMinutes)) + 1;
  // Only what the rules read: promtool keeps every series for each minute.
  const all = [...new Set([...before.keys(), ...after.keys()])];
  const series = all.filter((each) => named.has(each.slice(0, each.indexOf('{'))));
  return {
    name,
    interval: '1m',
    input_series: series.map((each) => ({
      series: each,
      values: [
        before.has(each) ? `${before.get(each)}+0x${BEFORE_MINUTES - 1}` : `_x${BEFORE_MINUTES}`,
        after.has(each) ? `${after.get(each)}+0x${minutes - 1}` : 'stale',
      ].join(' '),
    })),
    promql_expr_test: checks.map(({ alert, afterMinutes, fires }) => ({
      expr: `sum(ALERTS{alertstate="firing",alertname=~"${alert === 'any' ? '.+' : alert}"}) > bool 0`,
      eval_time: `${BEFORE_MINUTES + afterMinutes}m`,
      exp_samples: fires ? [{ labels: '{}', value: 1 }] : [],
    })),
  };
}
