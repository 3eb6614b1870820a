/** Where the bytes of one file go. */
export interface FileSink {
  /** The buffer that the next bytes go into, with `extra` bytes more than may be written at once. */
  lend(extra: number): Buffer;
  /**
   * Takes the first bytes of the buffer: all of it but the extra, or what is left at the end of the file. The next write
   * comes only when the promise is fulfilled; undefined means that there is nothing to wait for.
   */
  write(bytes: Buffer): Promise<void> | undefined;
  /** The file is complete. Not called for a file that is refused or cut off. */
  end(): Promise<unknown> | undefined;
}

/** A quadruple of base64 can overshoot by 2 bytes, and the last one adds 2. */
const OVERSHOOT = 4;

/**
 * Gathers decoded bytes in a buffer of the sink, one write at a time. While a write is under way the next bytes go into the
 * buffer that the sink lends then.
 */
export class FileWriter {
  private sink: FileSink;
  private buffer: Buffer;
  private filled = 0;
  private underWay: Promise<void> | undefined;

  constructor(sink: FileSink) {
    this.sink = sink;
    this.buffer = sink.lend(OVERSHOOT);
  }

  get full(): boolean {
    return this.filled >= this.size;
  }

  /** How many base64 characters still fit: a multiple of 4, at least 4 unless full. */
  get roomForCharacters(): number {
    return Math.ceil((this.size - this.filled) / 3) * 4;
  }

  /**
   * Decodes base64 text behind what is there, if it gives exactly so many bytes.
   * @returns whether it did. Node skips what is not base64, so fewer bytes mean that something else is in the text.
   */
  decode(text: string, bytes: number): boolean {
    if (this.buffer.write(text, this.filled, 'base64') !== bytes) return false;
    this.filled += bytes;
    return true;
  }

  /**
   * Hands over a full buffer. When a write is still under way it is returned instead: await it and call again.
   */
  flush(): Promise<void> | undefined {
    const busy = this.takeUnderWay();
    if (busy !== undefined) return busy;
    this.handOver();
    return undefined;
  }

  /** Hands over the rest, waits for it and ends the file. */
  async end(): Promise<void> {
    do {
      await this.takeUnderWay();
      if (this.filled > 0) this.handOver();
    } while (this.filled > 0);
    await this.takeUnderWay();
    await this.sink.end();
  }

  /** Fulfilled when nothing is under way, whatever became of it. */
  async idle(): Promise<void> {
    await this.takeUnderWay()?.catch(() => undefined);
  }

  private get size(): number {
    return this.buffer.length - OVERSHOOT;
  }

  private takeUnderWay(): Promise<void> | undefined {
    const busy = this.underWay;
    this.underWay = undefined;
    return busy;
  }

  private handOver(): void {
    const full = this.buffer;
    const count = Math.min(this.filled, this.size);
    const rest = full.subarray(count, this.filled);
    this.underWay = this.sink.write(full.subarray(0, count));
    // It is awaited later; without this a failure before that would end the process.
    this.underWay?.catch(() => undefined);
    this.buffer = this.sink.lend(OVERSHOOT);
    this.filled = rest.copy(this.buffer);
  }
}
