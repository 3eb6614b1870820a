import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/**
 * A keep-alive connection with one request at a time. It is minimal because it takes processor time from the server on the
 * same machine. Answers must have a Content-Length.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #host: string;
  #received: Buffer = Buffer.alloc(0);
  #answer: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.on('data', (bytes) => this.#take(bytes));
    socket.on('error', (error) => this.#answer?.reject(error));
    socket.on('close', () => this.#answer?.reject(new Error('The server closed the connection.')));
  }

  static async open(url: string): Promise<Connection> {
    const { hostname, port, host } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    return new Connection(socket, host);
  }

  /** False once the server has closed it, as it does after 5 idle seconds. */
  get isOpen(): boolean {
    return this.#socket.writable;
  }

  /** @throws Error unless the answer is 200 */
  post(path: string, pieces: readonly Buffer[], type?: string): Promise<Answer> {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    return this.postPieces(path, pieces, length, type);
  }

  /** The same for a body that is too large for memory. */
  async postPieces(path: string, pieces: Iterable<Buffer>, length: number, type = 'application/xml'): Promise<Answer> {
    const head = `POST ${path} HTTP/1.1\r\nHost: ${this.#host}\r\nContent-Type: ${type}\r\nAccept: application/json\r\nContent-Length: ${length}\r\n\r\n`;
    const answered = this.#nextAnswer();
    answered.catch(() => {}); // awaited below, when all is sent
    const socket = this.#socket;
    socket.cork();
    socket.write(head, 'latin1');
    let corked = true; // so that the headers are not sent on their own
    for (const piece of pieces) {
      const hasRoom = socket.write(piece);
      if (corked) socket.uncork();
      corked = false;
      if (!hasRoom) await Promise.race([once(socket, 'drain'), answered]);
    }
    const answer = await answered;
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.body.slice(0, 300)}`);
    return answer;
  }

  /** A call with any answer. @param headers lines, each with its end */
  call(method: string, path: string, headers: string, body = ''): Promise<Answer> {
    const answered = this.#nextAnswer();
    const length =
      body === '' ? '' : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
    this.#socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n${headers}${length}\r\n${body}`);
    return answered;
  }

  close(): void {
    this.#answer = undefined;
    this.#socket.destroy();
  }

  #nextAnswer(): Promise<Answer> {
    if (!this.isOpen) throw new Error('The server has closed the connection.');
    return new Promise((resolve, reject) => {
      this.#answer = { resolve, reject };
    });
  }

  #take(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const headers = this.#received.toString('latin1', 0, end);
    const from = end + 4;
    const to = from + Number(/\r\ncontent-length: (\d+)/i.exec(headers)?.[1] ?? 0);
    if (this.#received.length < to) return;
    const answer = { status: Number(headers.slice(9, 12)), body: this.#received.toString('utf8', from, to) };
    this.#received = this.#received.subarray(to);
    this.#answer?.resolve(answer);
    this.#answer = undefined;
  }
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Posts once on a new connection. */
export async function postOnce(url: string, path: string, pieces: readonly Buffer[], type?: string): Promise<Answer> {
  const connection = await Connection.open(url);
  try {
    return await connection.post(path, pieces, type);
  } finally {
    connection.close();
  }
}
