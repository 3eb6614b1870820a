/** Collects text as it would be seen: runs of white space as one space, breaks between blocks, markers before list items. */
export class TextWriter {
  readonly #parts: string[] = [];
  /** UTF-16 units so far. */
  length = 0;
  /** Where the current line begins. */
  #lineStart = 0;
  #breaks = 0;
  #startsLine = false;
  #space = false;
  #separator = '';
  #marker = '';

  /** Text in which white space only separates words. */
  words(text: string): void {
    const words = text.replace(/\s+/g, ' ');
    if (words.startsWith(' ')) this.#space = true;
    const core = words.trim();
    if (core === '') return;
    this.#put(core);
    this.#space = words.endsWith(' ');
  }

  /** Text whose lines and spaces count. */
  lines(text: string): void {
    for (const [index, line] of text.split(/\r\n?|\n/).entries()) {
      if (index > 0) this.newLine();
      if (line.trim() !== '') this.#put(line);
    }
  }

  newLine(): void {
    this.break(Math.min(this.#breaks + 1, 2));
  }

  /** What follows begins on a new line (1), or after an empty one (2). */
  break(lines: number): void {
    if (!this.#startsLine) this.#breaks = Math.max(this.#breaks, lines);
  }

  /** What follows begins a new line, and paragraphs inside it no further one. */
  startLine(): void {
    this.break(1);
    this.#startsLine = true;
  }

  /** What follows begins on the next line, whatever else was asked for. */
  endLine(): void {
    this.#breaks = 1;
    this.#startsLine = false;
    this.#separator = '';
    this.#marker = '';
  }

  /** What follows is on the same line, whatever breaks come before. */
  separate(separator: string): void {
    this.#separator = separator;
  }

  /** What follows has this before it, if anything follows before the line ends. */
  mark(marker: string): void {
    this.#marker = marker;
  }

  /** Whether there is text after this position, and all of it on one line. */
  isOneLineSince(position: number): boolean {
    return this.length > position && this.#lineStart <= position;
  }

  /** How many pieces there are, for `since`. */
  get pieces(): number {
    return this.#parts.length;
  }

  since(pieces: number): string {
    return this.#parts.slice(pieces).join('');
  }

  #put(text: string): void {
    const between = this.#between();
    this.#breaks = 0;
    this.#startsLine = false;
    this.#space = false;
    this.#separator = '';
    this.#parts.push(between, this.#marker, text);
    this.length += between.length + this.#marker.length + text.length;
    this.#marker = '';
  }

  #between(): string {
    if (this.length === 0) return '';
    if (this.#separator !== '') return this.#separator;
    if (this.#breaks === 0) return this.#space ? ' ' : '';
    this.#lineStart = this.length;
    return '\n'.repeat(this.#breaks);
  }
}
