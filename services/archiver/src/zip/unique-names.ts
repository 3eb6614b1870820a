import { splitExtension } from '@indbakke/shared/inbox';

/** Makes names unique, ignoring case: `name`, `name (2)`, `name (3)` … */
export class UniqueNames {
  readonly #taken = new Map<string, number>();

  constructor(taken: readonly string[]) {
    for (const name of taken) this.#taken.set(name.toLowerCase(), 1);
  }

  take(name: string): string {
    const { stem, extension } = splitExtension(name);
    // Continues counting where it stopped for this name, as thousands of files may share it.
    let n = this.#taken.get(name.toLowerCase()) ?? 0;
    let candidate = name;
    do {
      n += 1;
      candidate = n === 1 ? name : `${stem} (${n})${extension}`;
    } while (n > 1 && this.#taken.has(candidate.toLowerCase()));
    this.#taken.set(name.toLowerCase(), n);
    if (n > 1) this.#taken.set(candidate.toLowerCase(), 1);
    return candidate;
  }
}
