import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { type Answer, NoAnswer, type ShownCertificate, type SimulatorTls, secretsOf } from './client.js';

/** HTTP by hand on one connection, over TLS or not, for what no HTTP client does. */
export class RawConnection {
  readonly #socket: Socket;
  /** The same without TLS. */
  readonly #tcp: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  #received = Buffer.alloc(0);
  /** Why it ended, if it did not end well. */
  #error: NodeJS.ErrnoException | undefined;

  private constructor(socket: Socket, tcp: Socket) {
    this.#socket = socket;
    this.#tcp = tcp;
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    socket.on('error', (error) => {
      this.#error ??= error;
    });
  }

  /**
   * @param shown the certificate to show over TLS; undefined = none
   * @param timeoutMs of silence, after which it is cut
   * @throws NoAnswer when there is no connection, or the handshake fails
   */
  static async open(
    url: string,
    timeoutMs: number,
    tls: SimulatorTls | undefined,
    shown: ShownCertificate | undefined,
  ): Promise<RawConnection> {
    const { protocol, hostname, port } = new URL(url);
    const isSecure = protocol === 'https:';
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const tcp = connect({ host, port: Number(port || (isSecure ? 443 : 80)), allowHalfOpen: true });
    const name = isIP(host) ? { host } : { servername: host };
    const socket = isSecure ? connectSecurely({ socket: tcp, ...name, ...(tls && secretsOf(tls, shown)) }) : tcp;
    socket.setTimeout(timeoutMs, () => socket.destroy(new NoAnswer('timeout')));
    try {
      await once(socket, isSecure ? 'secureConnect' : 'connect');
    } catch (error) {
      throw new NoAnswer((error as NodeJS.ErrnoException).code ?? 'no connection');
    }
    socket.setNoDelay(true);
    return new RawConnection(socket, tcp);
  }

  /** Resolves when the operating system has the bytes, or the receiver has cut the connection: `answer` tells. */
  send(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.write(bytes, () => resolve());
    });
  }

  /** Ends its own direction and goes on reading. */
  endSending(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Disconnects so that what the receiver has not read is lost. */
  break(): void {
    this.#tcp.resetAndDestroy();
    this.#socket.destroy();
  }

  /** The status of the next answer, an interim one; it has no body. @throws NoAnswer */
  async interim(): Promise<number> {
    return statusOf(await this.#head());
  }

  /** The next answer. @throws NoAnswer */
  async answer(): Promise<Answer> {
    const head = await this.#head();
    const header = (name: string) => new RegExp(`^${name}: *(.*?)\\s*$`, 'im').exec(head)?.[1];
    const length = header('content-length');
    const isChunked = header('transfer-encoding')?.toLowerCase() === 'chunked';
    const body = isChunked
      ? await this.#chunked()
      : await this.#read(length === undefined ? undefined : Number(length));
    return { status: statusOf(head), contentType: header('content-type') ?? '', body: body.toString('utf8') };
  }

  async #head(): Promise<string> {
    return (await this.#readTo('\r\n\r\n')).toString('latin1');
  }

  async #chunked(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for (;;) {
      const size = Number.parseInt((await this.#readTo('\r\n')).toString('latin1'), 16);
      if (Number.isNaN(size)) throw new NoAnswer('chunks that cannot be read');
      chunks.push(await this.#read(size));
      await this.#readTo('\r\n');
      if (size === 0) return Buffer.concat(chunks);
    }
  }

  async #readTo(mark: string): Promise<Buffer> {
    while (!this.#received.includes(mark)) if (!(await this.#receive())) throw this.#ended();
    return this.#read(this.#received.indexOf(mark) + mark.length);
  }

  /** @param length undefined: to the end of the connection */
  async #read(length: number | undefined): Promise<Buffer> {
    while (length === undefined || this.#received.length < length) {
      if (await this.#receive()) continue;
      if (length !== undefined) throw this.#ended();
      break;
    }
    const read = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(read.length);
    return read;
  }

  async #receive(): Promise<boolean> {
    try {
      const { done, value } = await this.#chunks.next();
      if (!done) this.#received = Buffer.concat([this.#received, value]);
      return !done;
    } catch (error) {
      this.#error ??= error as Error;
      return false;
    }
  }

  #ended(): NoAnswer {
    return new NoAnswer(this.#error?.code ?? 'connection ended');
  }
}

const statusOf = (head: string) => Number(/^HTTP\/1\.\d (\d{3})/.exec(head)?.[1] ?? 0);
