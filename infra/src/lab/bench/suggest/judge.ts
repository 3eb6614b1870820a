import type { Message, Right } from './stories.js';

/** What each user who sees a message is shown of its case. */
export type Shown = ReadonlyMap<string, Right | null>;

/** `right` and `wrong` are suggestions; `missed` and `none` are none, and `none` is as it must be. */
export type Verdict = 'right' | 'wrong' | 'missed' | 'none';

/** A suggestion is right when all of it is, and those see it who must and nobody else. A message that is hidden from them is wrong. */
export function judge({ right, seenBy }: Message, shown: Shown): Verdict {
  const isSeenRightly = shown.size === seenBy.size && [...shown.keys()].every((user) => seenBy.has(user));
  const suggested = [...shown.values()];
  if (right === null) return isSeenRightly && suggested.every((one) => one === null) ? 'none' : 'wrong';
  if (suggested.length > 0 && suggested.every((one) => one === null)) return 'missed';
  return isSeenRightly && suggested.every((one) => isSame(one, right)) ? 'right' : 'wrong';
}

function isSame(shown: Right | null, right: Right): boolean {
  return (Object.keys(right) as (keyof Right)[]).every((field) => shown?.[field] === right[field]);
}

/** Of messages of one kind, or of all. */
export interface Score {
  readonly messages: number;
  readonly answerable: number;
  readonly suggested: number;
  readonly right: number;
  readonly wrong: number;
  readonly missed: number;
  /** Of the suggestions, the share that is right; NaN without any. */
  readonly precision: number;
  /** Of the answerable, the share that has the right suggestion; NaN without any. */
  readonly recall: number;
}

export function scoreOf(judged: readonly { readonly message: Message; readonly verdict: Verdict }[]): Score {
  const count = (verdict: Verdict) => judged.filter((one) => one.verdict === verdict).length;
  const [right, wrong, missed] = [count('right'), count('wrong'), count('missed')];
  const answerable = judged.filter(({ message }) => message.right !== null).length;
  const suggested = right + wrong;
  const [precision, recall] = [right / suggested, right / answerable];
  return { messages: judged.length, answerable, suggested, right, wrong, missed, precision, recall };
}
