/** Receives the bytes of one file. */
export interface FileSink {
  /** The buffer to fill next: as many bytes as may be written at once, and `extra` more. */
  lend(extra: number): Buffer;
  /**
   * Takes the first bytes of the buffer: all but the extra, or the rest of the file. The next call waits for the promise;
   * undefined = nothing to wait for.
   */
  write(bytes: Buffer): Promise<void> | undefined;
  /** The file is complete. Not called for a file that is refused or cut off. */
  end(): Promise<unknown> | undefined;
}

/** A quadruple of base64 can overshoot by 2 bytes, and the last one adds 2. */
const OVERSHOOT = 4;

/**
 * Collects decoded bytes in a buffer of the sink, one write at a time. While a write is in flight the next bytes go into the
 * next buffer that the sink lends.
 */
export class FileWriter {
  private sink: FileSink;
  private buffer: Buffer;
  private filled = 0;
  private inFlight: Promise<void> | undefined;

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
   * Appends decoded base64 if it is exactly this many bytes.
   * @returns whether it was. Node skips what is not base64, so fewer bytes mean that the text contains something else.
   */
  decode(text: string, bytes: number): boolean {
    if (this.buffer.write(text, this.filled, 'base64') !== bytes) return false;
    this.filled += bytes;
    return true;
  }

  /** Appends the first one to three bytes of 24 bits. */
  put(bits: number, bytes: number): void {
    this.buffer[this.filled] = bits >> 16;
    this.buffer[this.filled + 1] = bits >> 8;
    this.buffer[this.filled + 2] = bits;
    this.filled += bytes;
  }

  /** Hands over a full buffer; or returns the write that is still in flight: await it and call again. */
  flush(): Promise<void> | undefined {
    const busy = this.takeInFlight();
    if (busy !== undefined) return busy;
    this.handOver();
    return undefined;
  }

  /** Hands over the rest, waits for it and ends the file. */
  async end(): Promise<void> {
    do {
      await this.takeInFlight();
      if (this.filled > 0) this.handOver();
    } while (this.filled > 0);
    await this.takeInFlight();
    await this.sink.end();
  }

  /** Resolves when no write is in flight, even if it failed. */
  async idle(): Promise<void> {
    await this.takeInFlight()?.catch(() => undefined);
  }

  private get size(): number {
    return this.buffer.length - OVERSHOOT;
  }

  private takeInFlight(): Promise<void> | undefined {
    const busy = this.inFlight;
    this.inFlight = undefined;
    return busy;
  }

  private handOver(): void {
    const full = this.buffer;
    const count = Math.min(this.filled, this.size);
    const rest = full.subarray(count, this.filled);
    this.inFlight = this.sink.write(full.subarray(0, count));
    // It is awaited later; a failure before that must not end the process.
    this.inFlight?.catch(() => undefined);
    this.buffer = this.sink.lend(OVERSHOOT);
    this.filled = rest.copy(this.buffer);
  }
}
