import type { BulkAnswer } from '@indbakke/shared/api';
import { call } from '../api.js';
import type { Seen } from './query.js';

export type BulkAction = 'assign' | 'unassign' | 'reject' | 'reopen' | 'tell-outcome' | 'delete';

/** Small enough that one sees it move, and can stop it. */
const PORTION = 100;

export interface BulkReport {
  readonly action: BulkAction;
  /** Of how many. */
  readonly asked: number;
  /** With the versions that they have now. */
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
    const items = letters.slice(at, at + PORTION).map(({ id, version }) => ({ ...body, id, version }));
    try {
      const answer = await call<BulkAnswer>('POST', '/incoming-documents/bulk', { body: { action, items } });
      for (const { id, done: changed, problem } of answer.items) {
        if (changed) done.push({ id, version: changed.version });
        else if (problem) problems.set(problem.code, (problems.get(problem.code) ?? 0) + 1);
      }
      onProgress(at + items.length);
    } catch (failure) {
      error = failure;
    }
  }
  return { action, asked: letters.length, done, problems, error };
}
