import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** HTTP by hand on one connection, for what no HTTP client does: stop half-way, disconnect, wait before the body. */
export class RawConnection {
  readonly #socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  #received = '';

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** Resolves when the operating system has the bytes. */
  send(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  sendChunk(bytes: string | Uint8Array): Promise<void> {
    const body = Buffer.from(bytes as Uint8Array);
    return this.send(Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]));
  }

  /** The next answer, an interim one too. Rejects when the connection ends before it is complete. */
  async answer(): Promise<RawAnswer> {
    const head = await this.#readTo('\r\n\r\n');
    const [statusLine = '', ...lines] = head.split('\r\n');
    const headers = Object.fromEntries(
      lines.filter(Boolean).map((line) => [line.replace(/:.*/, '').toLowerCase(), line.replace(/^[^:]*: */, '')]),
    );
    const length = Number(headers['content-length'] ?? 0);
    return { status: Number(statusLine.split(' ')[1]), headers, body: await this.#read(length) };
  }

  /** Resolves when the server has closed the connection, with the rest of what it sent. */
  async ended(): Promise<string> {
    for (;;) {
      const { done, value } = await this.#chunks.next();
      if (done) return this.#received;
      this.#received += value.toString('latin1');
    }
  }

  /** Ends its own direction (FIN) and goes on reading. */
  endSending(): void {
    this.#socket.end();
  }

  /** Disconnects with FIN: what was sent still arrives. */
  close(): void {
    this.#socket.destroy();
  }

  /** Disconnects with RST: what was sent and not read yet is lost. */
  break(): void {
    this.#socket.resetAndDestroy();
  }

  async #readTo(mark: string): Promise<string> {
    while (!this.#received.includes(mark)) await this.#receive();
    return this.#read(this.#received.indexOf(mark) + mark.length);
  }

  async #read(length: number): Promise<string> {
    while (this.#received.length < length) await this.#receive();
    const read = this.#received.slice(0, length);
    this.#received = this.#received.slice(length);
    return read;
  }

  async #receive(): Promise<void> {
    const { done, value } = await this.#chunks.next();
    if (done) throw new Error(`The connection ended after ${JSON.stringify(this.#received)}.`);
    this.#received += value.toString('latin1');
  }
}

/** @param from address of this end: any of 127.0.0.0/8 on Linux */
export function openConnection(url: string, from?: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(port), host: hostname, ...(from && { localAddress: from }) });
    socket.once('connect', () => resolve(new RawConnection(socket))).once('error', reject);
  });
}

/** Request line and headers of a delivery; `headers` are raw lines. */
export function deliveryHead(headers: readonly string[]): string {
  return `${['POST /sf1606/PostModtag HTTP/1.1', 'Host: test', 'Accept: application/json', ...headers].join('\r\n')}\r\n\r\n`;
}
