import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A line to a server that can be cut and mended, as a network between two machines can. */
export interface Relay {
  /** The address that was given, by way of the relay. */
  readonly url: string;
  /** From now on nothing answers there, and what was connected is cut off. */
  cut(): Promise<void>;
  mend(): Promise<void>;
  /**
   * Lets `text` pass to the server for the `times`-th time, waits for the answer, and cuts instead of passing that back: what
   * was asked is done, and nobody hears of it.
   */
  cutAfter(text: string, times?: number): void;
  /** The same, but the line falls silent and stays open, as when the machine at its near end is gone. */
  silenceAfter(text: string): void;
  close(): Promise<void>;
}

export async function startRelay(targetUrl: string): Promise<Relay> {
  const target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let fatal: { readonly text: string; times: number; readonly silent: boolean } | undefined;

  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  };
  const accept = (near: Socket) => {
    const far = connect(Number(target.port), target.hostname);
    let [cutNow, silent] = [false, false];
    track(near);
    track(far);
    near.on('data', (bytes: Buffer) => {
      if (silent) return;
      if (fatal && bytes.includes(fatal.text)) {
        cutNow = --fatal.times === 0;
        silent = cutNow && fatal.silent;
      }
      far.write(bytes);
    });
    far.on('data', (bytes: Buffer) => {
      if (silent) return;
      if (cutNow) void cut();
      else near.write(bytes);
    });
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
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
    async mend() {
      await open(port);
    },
    cutAfter(text, times = 1) {
      fatal = { text, times, silent: false };
    },
    silenceAfter(text) {
      fatal = { text, times: 1, silent: true };
    },
    close: cut,
  };
}
