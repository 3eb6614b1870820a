import type { Goal } from '../bench/bench.js';

// Reads what form.ts writes. It is strict, so that no page is left out or half read: whatever begins like a line of the form
// and is not one is an error, and so is a verdict that its own figures contradict.

/** A page of docs/results. */
export interface ResultPage {
  /** Of its file. */
  readonly name: string;
  readonly title: string;
  /** Markdown. */
  readonly run: string;
  readonly on: string;
  readonly goals: readonly Goal[];
  /** Why it has none. */
  readonly noGoals?: string;
}

const RUN = /^- run: (`[^`]+`(, `[^`]+`)*|no command: \S.*)$/;
const ON = /^- on: (\S.*)$/;
const GOAL =
  /^- (met|\*\*not met\*\*): (\S.*? (≤|≥) (-?\d+(?:\.\d+)?)( ?[^\d\s:][^:]*)?): (-?\d+(?:\.\d+)?)( ?[^\d\s:][^:]*)?$/;
const NO_GOALS = /^- no goals: (\S.*)$/;
/** What only a line of the form may begin with. */
const LIKE_ONE = /^\s*(?:[-*+]\s+)?\**(?:(?:run|on|no goals?|no command)\**\s*:|(?:not )?met\b)/i;

/** @throws Error, a sentence that names the page, when it does not have the form */
export function readPage(name: string, text: string): ResultPage {
  const fault = (sentence: string) => new Error(`docs/results/${name}: ${sentence}`);
  const [first = '', ...lines] = text.replace(/^```.*?^```/gms, '').split('\n');
  const title = /^# (\S.*)$/.exec(first)?.[1];
  if (title === undefined) throw fault('the first line must be its title.');
  const runs: string[] = [];
  const places: string[] = [];
  const goals: Goal[] = [];
  const reasons: string[] = [];
  for (const line of lines) {
    const [run, on, goal, noGoals] = [RUN.exec(line), ON.exec(line), GOAL.exec(line), NO_GOALS.exec(line)];
    if (run?.[1]) runs.push(run[1]);
    else if (on?.[1]) places.push(on[1]);
    else if (noGoals?.[1]) reasons.push(noGoals[1]);
    else if (goal) goals.push(goalOf(goal, fault));
    else if (LIKE_ONE.test(line)) throw fault(`this line has an unknown form: ${line}`);
  }
  const [run, on, noGoals] = [runs[0], places[0], reasons[0]];
  if (run === undefined || runs.length > 1) throw fault('it must say once what was run (- run: `COMMAND`).');
  if (on === undefined || places.length > 1) throw fault('it must say once when and on what (- on: DATE, MACHINE).');
  if (goals.length === 0 && noGoals === undefined)
    throw fault('it must have a goal (- met: WHAT ≤ LIMIT: FIGURE), or say why it has none (- no goals: WHY).');
  if (reasons.length > 1 || (goals.length > 0 && noGoals !== undefined))
    throw fault('it must either have goals or say once why it has none.');
  return { name, title, run, on, goals, ...(noGoals !== undefined && { noGoals }) };
}

function goalOf(found: RegExpExecArray, fault: (sentence: string) => Error): Goal {
  const [line, verdict, goal = '', sign, limit, unit = '', value, unitOfValue = ''] = found;
  if (unit !== unitOfValue) throw fault(`goal and figure of this line have different units: ${line}`);
  const over = Number(value) - Number(limit);
  const met = verdict === 'met';
  // Equal is either: the figure on the page is rounded.
  if (over !== 0 && met !== (sign === '≤' ? over < 0 : over > 0))
    throw fault(`its figures contradict this line: ${line}`);
  return { goal, measured: `${value}${unitOfValue}`, met };
}

/**
 * Why goals were missed, from limits.md: the first paragraph of each section, by the section's name, which is the page's without
 * `bench-`.
 */
export function readReasons(text: string): ReadonlyMap<string, string> {
  const sections = text.split(/^## /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [name = '', ...paragraphs] = section.split(/\n\n+/);
      return [name, (paragraphs[0] ?? '').trim().replaceAll('\n', ' ')];
    }),
  );
}
