import type { ChangeAnswer, DocumentAnswer } from '@indbakke/shared/api';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { ApiError, call } from '../api.js';
import { CALLS, type Change, type Step, undoOf } from './changes.js';

type HistoryEntry = DocumentAnswer['history'][number];

/** What was done last. */
export interface Done {
  readonly change: Change;
  /** Undefined: the letter is gone. */
  readonly after: DocumentAnswer | undefined;
  readonly undo: Step | undefined;
  readonly isUndoing: boolean;
}

/** Why it was not done. */
export interface Failure {
  readonly change: Change;
  readonly error: unknown;
  /** What others did since the letter was read. */
  readonly meanwhile: readonly HistoryEntry[];
  /** Whether it can still be done. */
  readonly isPossible: boolean;
}

export interface LetterState {
  readonly letter: DocumentAnswer | undefined;
  /** Why it could not be read. */
  readonly error: unknown;
  readonly isBusy: boolean;
  readonly done: Done | undefined;
  readonly failure: Failure | undefined;
  /** Whether it was done. */
  readonly act: (step: Step, isUndoing?: boolean) => Promise<boolean>;
  readonly forgetFailure: () => void;
  /** Reads it anew, because something else than this page has changed it. */
  readonly again: () => Promise<void>;
}

const read = (id: string) => call<DocumentAnswer>('GET', `/incoming-documents/${id}`);

/** Who deletes a letter, or gives it away, may not see it any more. */
async function readUnlessGone(id: string): Promise<DocumentAnswer | undefined> {
  try {
    return await read(id);
  } catch (error) {
    if (error instanceof ApiError && error.code === 'not-found') return undefined;
    throw error;
  }
}

/** One letter, and what is done with it. */
export function useLetter(id: string): LetterState {
  const [letter, setLetter] = useState<DocumentAnswer>();
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const [done, setDone] = useState<Done>();
  const [failure, setFailure] = useState<Failure>();

  useEffect(() => {
    read(id).then(setLetter, setError);
  }, [id]);

  const act = useCallback(
    async ({ change, body }: Step, isUndoing = false): Promise<boolean> => {
      if (!letter) return false;
      setBusy(true);
      setFailure(undefined);
      const [method, path] = CALLS[change];
      try {
        const { version } = letter;
        await call<ChangeAnswer>(method, `/incoming-documents/${id}/${path}`, { version, body });
      } catch (caught) {
        setFailure(await explain(change, letter, caught, setLetter));
        setBusy(false);
        return false;
      }
      try {
        const after = await readUnlessGone(id);
        setLetter(after);
        const undo = isUndoing || !after ? undefined : undoOf(change, letter);
        const canUndo = undo && after?.allowed.includes(undo.change);
        setDone({ change, after, undo: canUndo ? undo : undefined, isUndoing });
      } catch (caught) {
        setLetter(undefined);
        setError(caught);
      }
      setBusy(false);
      return true;
    },
    [id, letter],
  );
  const again = useCallback(async () => setLetter(await read(id)), [id]);
  return { letter, error, isBusy, again, done, failure, act, forgetFailure: () => setFailure(undefined) };
}

/** When somebody else was first, what they did. */
async function explain(
  change: Change,
  before: DocumentAnswer,
  error: unknown,
  show: (letter: DocumentAnswer) => void,
): Promise<Failure> {
  const isOvertaken = error instanceof ApiError && error.code === 'version-changed';
  if (!isOvertaken) return { change, error, meanwhile: [], isPossible: true };
  try {
    const after = await read(before.id);
    show(after);
    const meanwhile = after.history.slice(before.history.length);
    return { change, error, meanwhile, isPossible: after.allowed.includes(change) };
  } catch (unreadable) {
    return { change, error: unreadable, meanwhile: [], isPossible: false };
  }
}
