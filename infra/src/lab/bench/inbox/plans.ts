import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { resultLines } from '../../results/form.js';
import type { Place } from '../place.js';
import type { Call, Client } from './calls.js';

// PostgreSQL 18, F.4: auto_explain logs the plan of each statement as it ran, those within functions too.
const SETTINGS: Readonly<Record<string, string>> = {
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_buffers': 'on',
  'auto_explain.log_nested_statements': 'on',
  'auto_explain.log_timing': 'on',
};

/** New connections to the database log their plans. */
export async function logPlans(client: pg.Client): Promise<void> {
  for (const [name, value] of Object.entries(SETTINGS)) {
    await client.query(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET ${name} = ''${value}''', current_database()); END $$`,
    );
  }
}

/**
 * Makes each call once, on a journaler that was started after `logPlans`. @returns a page with the plans of its statements
 */
export async function planPage(
  place: Place,
  client: Client,
  calls: readonly Call[],
  messages: string,
): Promise<string> {
  const log = openSync(join(place.paths.root, 'postgres.log'), 'r');
  try {
    const sections: string[] = [];
    for (const call of calls) {
      const cursor = await client.cursorOf(call);
      await client.make(call, cursor); // reads what is not in memory
      const from = fstatSync(log).size;
      const { status } = await client.make(call, cursor); // logged before it is answered
      const plans = status === 200 ? plansIn(readFrom(log, from)) : [];
      const shownPlans = plans.map((plan) => `\`\`\`\n${plan}\n\`\`\``);
      sections.push(
        [`## ${call.name} (${call.as})`, ...(plans.length > 0 ? shownPlans : [`Answers ${status}.`])].join('\n\n'),
      );
    }
    return [
      '# bench inbox: plans',
      `The plans of the statements of some calls with ${messages} messages, and of those that grow most, as \`indbakke_app\` under row-level security, as auto_explain logged them (ANALYZE, BUFFERS); of the same statement with other values, the first. Who calls: all = sees all messages, own = only those of a caseworker and a team, setup = held ones too. All persons are made up.`,
      resultLines({
        run: ['npm run bench -- inbox'],
        on: 'the run of [bench inbox](bench-inbox.md)',
        goals: [],
        noGoals: 'it shows the plans behind [bench inbox](bench-inbox.md)',
      }).join('\n'),
      ...sections,
      '',
    ].join('\n\n');
  } finally {
    closeSync(log);
  }
}

function readFrom(log: number, from: number): string {
  const bytes = Buffer.alloc(fstatSync(log).size - from);
  readSync(log, bytes, 0, bytes.length, from);
  return bytes.toString();
}

/** Of those who call: what they read is limited by the policy of a table, or by search_messages() itself. */
const FOR_CALLERS = /indbakke\.municipality|message_words/;
const LONGEST_LINE = 400;

/** The plans in a part of the log; of statements that differ in values only, the first. */
function plansIn(log: string): string[] {
  const plans = new Map<string, string>();
  for (const entry of log.split(/^(?=\d{4}-\d\d-\d\d )/m)) {
    const [head = '', ...lines] = entry.split('\n').map((line) => line.replace(/^\t/, ''));
    const duration = /duration: ([\d.]+ ms) {2}plan:$/.exec(head)?.[1];
    const start = lines.findIndex((line) => / {2}\(cost=/.test(line));
    const plan = lines.slice(start).map(shortened).join('\n').trimEnd();
    if (duration === undefined || start < 0 || !FOR_CALLERS.test(plan)) continue;
    const shape = lines
      .slice(0, start)
      .join('\n')
      .replace(/'[^']*'/g, '');
    if (!plans.has(shape)) plans.set(shape, `${duration}\n${plan}`);
  }
  return [...plans.values()];
}

const shortened = (line: string) => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line);
