import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Call } from './letters.js';

/** What we show and trust over TLS; PEM. */
export interface SimulatorTls {
  /** Issuers of the receiver’s certificate. */
  readonly trusted: string;
  readonly own: ShownCertificate;
  /** Of another CVR number, which the receiver must not take. */
  readonly other?: ShownCertificate;
  readonly expired?: ShownCertificate;
}

export interface ShownCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** An answer as it came. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** There was no answer. `code` says why, such as ECONNREFUSED or `timeout`. */
export class NoAnswer extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`no answer: ${code}`);
    this.code = code;
  }
}

const MAX_ANSWER_BYTES = 1_000_000;

/** Calls one receiver over connections that are kept. */
export class Client {
  readonly #url: string;
  readonly #timeoutMs: number;
  readonly #agent: PlainAgent;
  readonly #request: typeof plainRequest;

  constructor(url: string, tls: SimulatorTls | undefined, connections: number, timeoutMs: number) {
    const options = { keepAlive: true, maxSockets: connections, scheduling: 'lifo' } as const;
    this.#url = url;
    this.#timeoutMs = timeoutMs;
    const isSecure = url.startsWith('https:');
    this.#agent = isSecure
      ? new SecureAgent({ ...options, ...(tls && secretsOf(tls, tls.own)) })
      : new PlainAgent(options);
    this.#request = isSecure ? (secureRequest as typeof plainRequest) : plainRequest;
  }

  /** @throws NoAnswer */
  post(path: string, { body, headers }: Call, accept: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = this.#request(`${this.#url}${path}`, {
        method: 'POST',
        agent: this.#agent,
        headers: { ...headers, accept, 'content-length': body.length },
      });
      const timer = setTimeout(() => call.destroy(new NoAnswer('timeout')), this.#timeoutMs);
      const fail = (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        if (error.code === 'ECONNRESET' && call.reusedSocket) return reject(new NoAnswer('kept connection closed'));
        reject(error instanceof NoAnswer ? error : new NoAnswer(error.code ?? error.name));
      };
      call.on('error', fail); // an answer that has come before is read all the same
      call.once('response', (response: IncomingMessage) => {
        readAnswer(response).then((answer) => {
          clearTimeout(timer);
          resolve(answer);
        }, fail);
      });
      pipeline(Readable.from(body.pieces()), call).catch(() => {}); // heard as `error`
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

export const secretsOf = ({ trusted }: SimulatorTls, shown: ShownCertificate | undefined) => ({
  ca: trusted,
  ...(shown && { cert: shown.certificate, key: shown.key }),
});

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MAX_ANSWER_BYTES) throw new NoAnswer('an answer over 1 MB');
    pieces.push(piece);
  }
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers['content-type'] ?? '',
    body: Buffer.concat(pieces).toString('utf8'),
  };
}
