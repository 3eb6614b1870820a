import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** An address on loopback that leads to one server at a time, as HAProxy or a virtual address before PostgreSQL does. */
export interface Address {
  readonly port: number;
  /**
   * New connections lead to another port from now on.
   *
   * @param opts `keepsOpen`: those that are open stay with the server of before; else they are cut
   */
  moveTo(port: number, opts?: { readonly keepsOpen?: boolean }): void;
  close(): Promise<void>;
}

export async function openAddress(port: number): Promise<Address> {
  let target = port;
  const sockets = new Set<Socket>();
  const track = (socket: Socket, other: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
  };
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    track(near, far);
    track(far, near);
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    moveTo(next, { keepsOpen = false } = {}) {
      target = next;
      if (!keepsOpen) cut();
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
  };
}
