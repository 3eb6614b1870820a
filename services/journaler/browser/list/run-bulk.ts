import type { BulkAnswer, BulkBody } from '@indbakke/shared/api';
import { call } from '../api.js';
import type { Seen } from './query.js';

/** To give back: who had a letter before it was assigned has it again, be it nobody. */
export type BulkAction = 'assign' | 'give-back' | 'reject' | 'reopen' | 'tell-outcome' | 'delete';

/** Small enough that one sees it move, and can stop it. */
const PORTION = 100;

export interface BulkReport {
  readonly action: BulkAction;
  /** Of how many. */
  readonly asked: number;
  /** With the versions that they have now, and the assignees that they had. */
  readonly done: readonly Seen[];
  /** How often each code of a refusal came. */
  readonly problems: ReadonlyMap<string, number>;
  /** What ended it before its end; undefined: nothing, or who asked for it. */
  readonly error: unknown;
}

/** Of all items, those that were refused, and those that it did not come to. */
export const notDone = ({ asked, done }: BulkReport): number => asked - done.length;

/**
 * The same change of many letters, in portions.
 *
 * @param body what the change of one takes
 * @param onProgress how many have an answer
 * @param stopped ends it after the present portion
 */
export async function runBulk(
  action: BulkAction,
  body: object,
  letters: readonly Seen[],
  onProgress: (answered: number) => void,
  stopped: AbortSignal,
): Promise<BulkReport> {
  const done: Seen[] = [];
  const problems = new Map<string, number>();
  let error: unknown;
  for (let at = 0; at < letters.length && !stopped.aborted && error === undefined; at += PORTION) {
    const portion = letters.slice(at, at + PORTION);
    const known = new Map(portion.map((letter) => [letter.id, letter]));
    try {
      for (const change of changesOf(action, body, portion)) {
        const answer = await call<BulkAnswer>('POST', '/incoming-documents/bulk', { body: change });
        for (const { id, done: changed, problem } of answer.items) {
          const letter = known.get(id);
          if (changed && letter) done.push({ ...letter, version: changed.version });
          else if (problem) problems.set(problem.code, (problems.get(problem.code) ?? 0) + 1);
        }
      }
      onProgress(at + portion.length);
    } catch (failure) {
      error = failure;
    }
  }
  return { action, asked: letters.length, done, problems, error };
}

interface BulkCall {
  readonly action: BulkBody['action'];
  readonly items: readonly object[];
}

function changesOf(action: BulkAction, body: object, letters: readonly Seen[]): readonly BulkCall[] {
  if (action !== 'give-back') return [{ action, items: letters.map(({ id, version }) => ({ ...body, id, version })) }];
  const ofNobody = letters.filter(({ assignee }) => assignee === null);
  const ofSomebody = letters.filter(({ assignee }) => assignee !== null);
  const calls: readonly BulkCall[] = [
    { action: 'assign', items: ofSomebody },
    { action: 'unassign', items: ofNobody.map(({ id, version }) => ({ id, version })) },
  ];
  return calls.filter(({ items }) => items.length > 0);
}
