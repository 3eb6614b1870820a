import { Worker } from 'node:worker_threads';

export type HashingRequest =
  | { readonly do: 'update'; readonly file: number; readonly bytes: Uint8Array }
  | { readonly do: 'digest' | 'drop'; readonly file: number };

export interface HashingAnswer {
  readonly file: number;
  readonly sums?: Sums;
}

/** What a file is recognized by. */
export interface Sums {
  /** In lower-case hexadecimal. */
  readonly sha256: string;
  /** As a zip has it, unsigned: a zip can then be sent without reading the file first. */
  readonly crc32: number;
}

/** The sums of one file, computed on the thread. One call at a time: await each before the next. */
export interface HashOnThread {
  /** `bytes` are in shared memory and must not change until the promise resolves. */
  update(bytes: Buffer): Promise<void>;
  digest(): Promise<Sums>;
  /** Forgets a file that does not end. */
  drop(): void;
}

interface Waiting {
  readonly file: number;
  resolve(answer: HashingAnswer): void;
  reject(error: Error): void;
}

const WORKER = new URL('./hashing-worker.mjs', import.meta.url);

/**
 * A second thread, which hashes large files while the first one reads, decodes and seals them. All messages of the process
 * share it; it does not keep the process alive. If it ends, its open hashes fail and the next file starts a new one.
 */
export class HashingThread {
  #run = new Run();

  /** Begins the hash of a file. */
  begin(): HashOnThread {
    if (this.#run.ended) this.#run = new Run();
    return this.#run.begin();
  }
}

/** One thread, until it ends. It answers in the order of the requests. */
class Run {
  // Without this process's own options: some, such as --eval, would end the thread.
  readonly #worker = new Worker(WORKER, { execArgv: [] });
  readonly #waiting: Waiting[] = [];
  #files = 0;
  #failure: Error | undefined;

  constructor() {
    this.#worker.on('message', (answer: HashingAnswer) => this.#take(answer));
    this.#worker.on('messageerror', (error: Error) => this.#end(error));
    this.#worker.on('error', (error: Error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new Error('The hashing thread has ended.')));
    this.#worker.unref(); // after the listeners, which ref it again
  }

  get ended(): boolean {
    return this.#failure !== undefined;
  }

  begin(): HashOnThread {
    const file = this.#files++;
    return {
      update: async (bytes) => void (await this.#ask({ do: 'update', file, bytes })),
      digest: async () => (await this.#ask({ do: 'digest', file })).sums as Sums,
      drop: () => this.#worker.postMessage({ do: 'drop', file } satisfies HashingRequest),
    };
  }

  #ask(request: HashingRequest): Promise<HashingAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#worker.postMessage(request);
      if (this.#waiting.push({ file: request.file, resolve, reject }) === 1) this.#worker.ref();
    });
  }

  #take(answer: HashingAnswer): void {
    const first = this.#waiting[0];
    // Never the hash of one file for another.
    if (first?.file !== answer.file) {
      this.#end(new Error('The hashing thread answered out of order.'));
      return;
    }
    this.#waiting.shift();
    if (this.#waiting.length === 0) this.#worker.unref();
    first.resolve(answer);
  }

  #end(failure: Error): void {
    this.#failure ??= failure;
    this.#worker.terminate().catch(() => {}); // it has ended already
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
