import { isDeepStrictEqual } from 'node:util';

/** What the demo prints, and what it checked: a heading for each act, a line for each step. */
export class Story {
  readonly #began = performance.now();
  readonly #failed: string[] = [];
  #acts = 0;
  #checks = 0;

  begin(line: string): void {
    write(`${line}\n`);
  }

  act(title: string): void {
    this.#acts += 1;
    write(`\n${this.#acts}. ${title}\n`);
  }

  /** A step that happened. */
  tell(line: string): void {
    write(`   · ${line}\n`);
  }

  /** A step that is checked. A failed check is shown with what was expected and got; the day goes on. */
  check(what: string, got: unknown, expected: unknown = true): void {
    this.#checks += 1;
    if (isDeepStrictEqual(got, expected)) {
      write(`   ✓ ${what}\n`);
      return;
    }
    this.#failed.push(what);
    write(`   ✗ ${what}\n       expected ${show(expected)}\n       got      ${show(got)}\n`);
  }

  /** How far something long has come: one line that changes on a terminal, a line for each quarter elsewhere. */
  progress(what: string, total: number): (done: number) => void {
    let shown = 0;
    return (done) => {
      const percent = Math.floor((100 * done) / total);
      if (percent < shown + (process.stdout.isTTY ? 1 : 25)) return;
      shown = percent;
      const line = `   · ${what}: ${percent} % of ${total} bytes`;
      if (!process.stdout.isTTY) write(`${line}\n`);
      else write(percent < 100 ? `\r${line}` : '\r\x1b[2K'); // done: the line makes room for the result
    };
  }

  table(rows: readonly (readonly string[])[]): void {
    const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
    for (const [index, row] of rows.entries()) {
      const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
      write(`   ${line.trimEnd()}\n`);
      if (index === 0) write(`   ${widths.map((width) => '─'.repeat(width)).join('  ')}\n`);
    }
  }

  /** The last line. Gives the exit status. @param facts what it says when all went well */
  end(facts: readonly string[]): number {
    const seconds = secondsSince(this.#began);
    const failed = this.#failed.length;
    if (failed === 0) write(`\ndemo: ${[...facts, `all ${this.#checks} checks passed in ${seconds} s`].join('; ')}\n`);
    else write(`\ndemo: ${failed} of ${this.#checks} checks failed in ${seconds} s: ${this.#failed.join('; ')}\n`);
    return failed === 0 ? 0 : 1;
  }

  /** The day cannot go on. */
  breakOff(error: Error): number {
    this.#checks += 1;
    this.#failed.push(`broke off (${error.message})`);
    write(`   ✗ ${error.stack}\n`);
    return this.end([]);
  }
}

export function secondsSince(began: number): string {
  return ((performance.now() - began) / 1_000).toFixed(1);
}

function write(text: string): void {
  process.stdout.write(text);
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
