import { BLOCK_SIZE, giveBlockBack, PIECE_SIZE, takeBlock } from '../flow/index.js';

/** Where the bytes of one file go. */
export interface FileSink {
  /**
   * Takes the next bytes, at most a piece (PIECE_SIZE); all but a file's last are a multiple of 64 KiB. The next write comes
   * only when the promise is fulfilled; undefined means that there is nothing to wait for. The bytes are the sink's until
   * then; the buffer is used again afterwards, so a sink that keeps them must copy them.
   */
  write(bytes: Buffer): Promise<void> | undefined;
  /** The file is complete. Not called for a file that is refused or cut off. */
  end(): Promise<void> | void;
}

// One segment of the sealed container, so that a small message costs little; from the second on a block.
const FIRST_SIZE = 64 * 1024;
/** A quadruple of base64 can overshoot by 2 bytes, and the last one adds 2. */
const SLACK = 8;

/**
 * Gathers decoded bytes and hands them to the sink of the open file, one write at a time. While a write is under way the
 * next bytes go to a second buffer. One writer serves all files of a message, one after the other.
 */
export class FileWriter {
  private sink: FileSink | undefined;
  private current: Buffer | undefined;
  private spare: Buffer | undefined;
  private filled = 0;
  private size = FIRST_SIZE;
  private underWay: Promise<void> | undefined;

  begin(sink: FileSink): void {
    this.sink = sink;
    this.filled = 0;
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
    this.current ??= Buffer.allocUnsafeSlow(FIRST_SIZE + SLACK);
    if (this.current.write(text, this.filled, 'base64') !== bytes) return false;
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
    await this.sink?.end();
  }

  /** Fulfilled when nothing is under way, whatever became of it. */
  async idle(): Promise<void> {
    await this.takeUnderWay()?.catch(() => undefined);
  }

  /** Nothing is under way, and nothing more comes: the memory is for the next message. */
  release(): void {
    if (this.size === FIRST_SIZE) return;
    for (const block of [this.current, this.spare]) if (block) giveBlockBack(block);
    this.current = undefined;
    this.spare = undefined;
  }

  private takeUnderWay(): Promise<void> | undefined {
    const busy = this.underWay;
    this.underWay = undefined;
    return busy;
  }

  private handOver(): void {
    const full = this.current as Buffer;
    const count = Math.min(this.filled, this.size);
    const rest = full.subarray(count, this.filled);
    this.underWay = this.sink?.write(full.subarray(0, count)) ?? undefined;
    // It is awaited later; without this a failure before that would end the process.
    this.underWay?.catch(() => undefined);
    if (count === this.size) this.nextBuffer(full);
    this.filled = rest.copy(this.current as Buffer);
  }

  /** A buffer to go on with while `full` may be busy; large from the second on. */
  private nextBuffer(full: Buffer): void {
    if (this.size === FIRST_SIZE) {
      this.size = PIECE_SIZE;
      this.current = newBuffer();
    } else if (this.underWay !== undefined) {
      this.current = this.spare ?? newBuffer();
      this.spare = full;
    }
  }
}

/** A block, or other memory of its size while all blocks are in use. */
function newBuffer(): Buffer {
  return takeBlock() ?? Buffer.allocUnsafeSlow(BLOCK_SIZE);
}
