import { useCallback, useState } from 'preact/hooks';
import type { Seen } from './query.js';

/** By id: what is selected, on whatever page it is. */
export type Selected = ReadonlyMap<string, Seen>;

/** Who comes back from a letter still has it. */
let left: Selected = new Map();

export interface Selection {
  readonly selected: Selected;
  /** The same functions at each rendering. */
  readonly change: {
    toggle(letter: Seen): void;
    add(letters: readonly Seen[]): void;
    remove(letters: readonly Pick<Seen, 'id'>[]): void;
    /** Letters were seen in a newer version: what is selected of them is that. */
    renew(letters: readonly Seen[]): void;
    clear(): void;
  };
}

/** Of all that a list knows of a letter. */
const seen = ({ id, version, assignee }: Seen): Seen => ({ id, version, assignee });

export function useSelection(): Selection {
  const [selected, setSelected] = useState<Selected>(left);
  left = selected;
  const edit = useCallback((make: (draft: Map<string, Seen>) => void) => {
    setSelected((before) => {
      const draft = new Map(before);
      make(draft);
      return draft;
    });
  }, []);
  const [change] = useState<Selection['change']>(() => ({
    toggle: (letter) => edit((draft) => void (draft.delete(letter.id) || draft.set(letter.id, seen(letter)))),
    add: (letters) =>
      edit((draft) => {
        for (const letter of letters) draft.set(letter.id, seen(letter));
      }),
    remove: (letters) =>
      edit((draft) => {
        for (const { id } of letters) draft.delete(id);
      }),
    renew: (letters) =>
      setSelected((before) => {
        const newer = letters.filter(({ id, version }) => (before.get(id)?.version ?? version) !== version);
        return newer.length === 0 ? before : new Map([...before, ...newer.map((one) => [one.id, seen(one)] as const)]);
      }),
    clear: () => setSelected(new Map()),
  }));
  return { selected, change };
}
