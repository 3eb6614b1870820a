import { comparableName, splitExtension } from '../inbox/index.js';

/** Makes names unique on any system: `name`, `name (2)`, `name (3)` … */
export class UniqueNames {
  readonly #taken = new Map<string, number>();

  constructor(taken: readonly string[]) {
    for (const name of taken) this.#taken.set(comparableName(name), 1);
  }

  /** @param extension what the number comes before */
  take(name: string, extension = splitExtension(name).extension): string {
    const stem = name.slice(0, name.length - extension.length);
    // Continues counting where it stopped for this name, as thousands of files may share it.
    let n = this.#taken.get(comparableName(name)) ?? 0;
    let candidate = name;
    do {
      n += 1;
      candidate = n === 1 ? name : `${stem} (${n})${extension}`;
    } while (n > 1 && this.#taken.has(comparableName(candidate)));
    this.#taken.set(comparableName(name), n);
    if (n > 1) this.#taken.set(comparableName(candidate), 1);
    return candidate;
  }
}
