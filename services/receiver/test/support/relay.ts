import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A proxy to a server whose connections can be cut and restored, like a network between two machines. */
export interface Relay {
  /** The target’s URL, through the relay. */
  readonly url: string;
  /** Refuses new connections and cuts the present ones. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** Passes `text` to the server, and cuts instead of passing back the answer: it is done, but the client never knows. */
  cutAfter(text: string): void;
  /** The same, but the connection stays open without traffic, as when the client’s machine is gone. */
  silenceAfter(text: string): void;
  close(): Promise<void>;
}

export async function startRelay(targetUrl: string): Promise<Relay> {
  const target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let fatal: { readonly text: string; readonly silent: boolean } | undefined;

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
        cutNow = true;
        silent = fatal.silent;
        fatal = undefined;
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
    async restore() {
      await open(port);
    },
    cutAfter(text) {
      fatal = { text, silent: false };
    },
    silenceAfter(text) {
      fatal = { text, silent: true };
    },
    close: cut,
  };
}
