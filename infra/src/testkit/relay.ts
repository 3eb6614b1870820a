import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A proxy to a server whose connections can be cut and restored, like a network between two machines. */
export interface Relay {
  /** The target’s URL, through the relay. */
  readonly url: string;
  /** Refuses new connections and cuts the present ones. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** Passes `text` to the server, of a connection that has sent `having` too, lately, and cuts instead of passing back the answer: it is done, but the client never knows. */
  cutAfter(text: string, having?: string): void;
  /** Lets the next connection that sends `text` fail there, and no other. */
  failAt(text: string, failure: Failure): void;
  /** Whether a failure still waits for its text. */
  readonly isArmed: boolean;
  close(): Promise<void>;
}

export interface Failure {
  /** Only a connection that has sent this too, lately. */
  readonly having?: string;
  /** `before` the text reaches the server, or `after`, in place of the answer. */
  readonly when: 'before' | 'after';
  /** `reset` ends both sides; with `silence` they stay open and nothing passes any more, as when a machine is gone. */
  readonly how: 'reset' | 'silence';
}

const KEPT_BYTES = 16_384; // more than a transaction of the inbox API

export async function startRelay(targetUrl: string): Promise<Relay> {
  const target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let fatal: (Omit<Failure, 'how'> & { readonly text: string; readonly how: Failure['how'] | 'cut' }) | undefined;

  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  };
  const accept = (near: Socket) => {
    const far = connect(Number(target.port), target.hostname);
    let failure: typeof fatal;
    let silent = false;
    let sent = Buffer.alloc(0);
    track(near);
    track(far);
    const fail = () => {
      if (failure?.how === 'cut') void cut();
      else if (failure?.how === 'silence') silent = true;
      else for (const socket of [near, far]) socket.resetAndDestroy();
    };
    near.on('data', (bytes: Buffer) => {
      if (silent) return;
      sent = Buffer.concat([sent, bytes]).subarray(-KEPT_BYTES);
      if (fatal && bytes.includes(fatal.text) && sent.includes(fatal.having ?? '')) {
        failure = fatal;
        fatal = undefined;
        if (failure.when === 'before') return fail();
      }
      far.write(bytes);
    });
    far.on('data', (bytes: Buffer) => {
      if (silent) return;
      if (failure) fail();
      else near.write(bytes);
    });
    near.on('close', () => silent || far.destroy());
    far.on('close', () => silent || near.destroy());
  };
  const open = async (port: number) => {
    server = createServer(accept).listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const cut = async () => {
    const closing = server;
    server = undefined;
    fatal = undefined;
    for (const socket of sockets) socket.destroy();
    if (closing) await new Promise((resolve) => closing.close(resolve));
  };

  const port = await open(0);
  const url = new URL(targetUrl);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return {
    url: url.href,
    cut,
    async restore() {
      await open(port);
    },
    cutAfter(text, having = '') {
      fatal = { text, having, when: 'after', how: 'cut' };
    },
    failAt(text, failure) {
      fatal = { text, ...failure };
    },
    get isArmed() {
      return fatal !== undefined;
    },
    close: cut,
  };
}
