import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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

/** Reads `/metrics`; `instance` is the label that Prometheus would give. Only what the rules may name is kept. */
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

export interface RuleTest extends Course {
  readonly name: string;
  /** Minutes after the change. */
  readonly afterMinutes: number;
  /** Alerts that must fire then. */
  readonly firing?: readonly string[];
  /** Alerts that must not: these, or all. */
  readonly silent?: readonly string[] | 'all';
}

const BEFORE_MINUTES = 10;

/** Evaluates the rules by promtool over these courses. @returns what promtool prints when it differs, else nothing */
export async function evaluateRules(rules: string, tests: readonly RuleTest[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-promtool-'));
  try {
    const file = join(folder, 'tests.yaml');
    await writeFile(file, stringify({ rule_files: [rules], evaluation_interval: '1m', tests: tests.map(inPromtool) }));
    const run = promisify(execFile)('promtool', ['test', 'rules', file], { maxBuffer: 2 ** 26 });
    return await run.then(
      () => '',
      (failed: { stdout: string; stderr: string }) => `${failed.stdout}${failed.stderr}`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function inPromtool({ name, before, after, afterMinutes, firing = [], silent = [] }: RuleTest) {
  const minutes = afterMinutes + 1;
  const values = (value: string | undefined, count: number) =>
    value === undefined ? `_x${count}` : `${value}+0x${count - 1}`;
  const names = [...new Set([...before.keys(), ...after.keys()])];
  const fires = (alert: string) => ({
    expr: `sum(ALERTS{alertname="${alert}",alertstate="firing"}) > bool 0`,
    eval_time: `${BEFORE_MINUTES + afterMinutes}m`,
    exp_samples: [{ labels: '{}', value: 1 }],
  });
  const none = (matching: string) => ({
    expr: `ALERTS{alertstate="firing",alertname=~"${matching}"}`,
    eval_time: `${BEFORE_MINUTES + afterMinutes}m`,
    exp_samples: [],
  });
  return {
    name,
    interval: '1m',
    input_series: names.map((series) => ({
      series,
      values: `${values(before.get(series), BEFORE_MINUTES)} ${values(after.get(series), minutes)}`,
    })),
    promql_expr_test: [...firing.map(fires), ...(silent === 'all' ? [none('.+')] : silent.map(none))],
  };
}
