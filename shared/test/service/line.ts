import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A connection to a server that can be cut and restored, to test what happens when a database is away. */
export interface Line {
  /** URL of the server through this line. */
  readonly url: string;
  /** Breaks every connection; new ones are refused. */
  cut(): Promise<void>;
  restore(): Promise<void>;
}

export async function layLine(url: string): Promise<Line> {
  const far = new URL(url);
  const sockets = new Set<Socket>();
  const hold = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}); // cut
    socket.once('close', () => sockets.delete(socket));
  };

  let server: Server;
  const open = async (port: number) => {
    server = createServer((near) => {
      const onward = connect(Number(far.port || 5432), far.hostname);
      hold(near);
      hold(onward);
      near.pipe(onward).pipe(near);
      near.once('close', () => onward.destroy());
      onward.once('close', () => near.destroy());
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };

  const port = await open(0);
  const here = new URL(url);
  here.hostname = '127.0.0.1';
  here.port = String(port);
  return {
    url: here.href,
    async cut() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async restore() {
      await open(port);
    },
  };
}
