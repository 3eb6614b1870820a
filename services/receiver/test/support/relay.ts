import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A line to a server that can be cut and mended, as a network between two machines can. */
export interface Relay {
  /** The address that was given, by way of the relay. */
  readonly url: string;
  /** From now on nothing answers there, and what was connected is cut off. */
  cut(): Promise<void>;
  mend(): Promise<void>;
  /** Passes the next bytes that hold `text` on to the server, waits for its answer, and cuts everything instead of passing it back. */
  cutAfter(text: string): void;
  close(): Promise<void>;
}

export async function startRelay(targetUrl: string): Promise<Relay> {
  const target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let fatalText: string | undefined;

  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  };
  const accept = (near: Socket) => {
    const far = connect(Number(target.port), target.hostname);
    let fatal = false;
    track(near);
    track(far);
    near.on('data', (bytes: Buffer) => {
      fatal ||= fatalText !== undefined && bytes.includes(fatalText);
      far.write(bytes);
    });
    far.on('data', (bytes: Buffer) => {
      if (fatal) void cut();
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
    fatalText = undefined;
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
    cutAfter(text) {
      fatalText = text;
    },
    close: cut,
  };
}
