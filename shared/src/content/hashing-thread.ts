import { Worker } from 'node:worker_threads';

export type HashingRequest =
  | { readonly do: 'update'; readonly file: number; readonly bytes: Uint8Array }
  | { readonly do: 'digest' | 'drop'; readonly file: number };

export interface HashingAnswer {
  readonly sha256?: string;
}

/** The SHA-256 of one file, made on the thread. One call at a time: the next one comes when the promise is fulfilled. */
export interface HashOnThread {
  /** `bytes` lie in a block (takeBlock) and must stay as they are until the promise is fulfilled. */
  update(bytes: Buffer): Promise<void>;
  /** @returns in lower-case hexadecimal */
  digest(): Promise<string>;
  /** Forgets a file that does not come to its end. */
  drop(): void;
}

interface Waiting {
  resolve(answer: HashingAnswer): void;
  reject(error: Error): void;
}

// The same from the sources, which tests run, as from what is built of them.
const WORKER = new URL('../../dist/content/hashing-worker.js', import.meta.url);

/**
 * A second thread, which hashes large files while the first one reads, decodes and seals them. All letters of the process
 * share it; it does not keep the process alive. Should it end, what it had begun fails, and it begins anew.
 */
export class HashingThread {
  #run = new Run();

  /** Begins the hash of a file. */
  begin(): HashOnThread {
    if (this.#run.ended) this.#run = new Run();
    return this.#run.begin();
  }
}

/** One life of the thread. It answers in the order in which it is asked. */
class Run {
  readonly #worker = new Worker(WORKER);
  readonly #waiting: Waiting[] = [];
  #files = 0;
  #failure: Error | undefined;

  constructor() {
    this.#worker.unref();
    this.#worker.on('message', (answer: HashingAnswer) => this.#takeFirst()?.resolve(answer));
    this.#worker.on('error', (error: Error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new Error('The thread that hashes has ended.')));
  }

  get ended(): boolean {
    return this.#failure !== undefined;
  }

  begin(): HashOnThread {
    const file = this.#files++;
    return {
      update: async (bytes) => void (await this.#ask({ do: 'update', file, bytes })),
      digest: async () => (await this.#ask({ do: 'digest', file })).sha256 as string,
      drop: () => this.#worker.postMessage({ do: 'drop', file } satisfies HashingRequest),
    };
  }

  #ask(request: HashingRequest): Promise<HashingAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      if (this.#waiting.push({ resolve, reject }) === 1) this.#worker.ref();
      this.#worker.postMessage(request);
    });
  }

  #takeFirst(): Waiting | undefined {
    const first = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#worker.unref();
    return first;
  }

  #end(failure: Error): void {
    this.#failure ??= failure;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
