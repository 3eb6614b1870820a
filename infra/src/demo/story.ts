import { isDeepStrictEqual } from 'node:util';

/** Prints the demo and counts its checks: a heading per act, a line per event. */
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

  report(line: string): void {
    write(`   · ${line}\n`);
  }

  /** Prints a failed check with the expected and the actual value; the day goes on. */
  check(what: string, got: unknown, expected: unknown = true): void {
    this.#checks += 1;
    if (isDeepStrictEqual(got, expected)) {
      write(`   ✓ ${what}\n`);
      return;
    }
    this.#failed.push(what);
    write(`   ✗ ${what}\n       expected ${show(expected)}\n       got      ${show(got)}\n`);
  }

  /** Progress of slow work: one changing line on a terminal, a line per quarter elsewhere. */
  progress(what: string, total: number): (done: number) => void {
    let shown = 0;
    return (done) => {
      const percent = Math.floor((100 * done) / total);
      if (percent < shown + (process.stdout.isTTY ? 1 : 25)) return;
      shown = percent;
      const line = `   · ${what}: ${percent} % of ${total} bytes`;
      if (!process.stdout.isTTY) write(`${line}\n`);
      else write(percent < 100 ? `\r${line}` : '\r\x1b[2K'); // done: the result replaces the line
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

  /** Prints the last line. @param facts shown if no check failed @returns the exit status */
  end(facts: readonly string[]): number {
    const seconds = secondsSince(this.#began);
    const failed = this.#failed.length;
    if (failed === 0) write(`\ndemo: ${[...facts, `all ${this.#checks} checks passed in ${seconds} s`].join('; ')}\n`);
    else write(`\ndemo: ${failed} of ${this.#checks} checks failed in ${seconds} s: ${this.#failed.join('; ')}\n`);
    return failed === 0 ? 0 : 1;
  }

  abort(error: Error): number {
    this.#checks += 1;
    this.#failed.push(`aborted (${error.message})`);
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
