import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const IPV4 = 1;
const HEADER_BYTES = 12;

export interface NameServer {
  /** As resolvers take it: `127.0.0.1:5353`. */
  readonly address: string;
  close(): Promise<void>;
}

/** A name server on loopback (RFC 1035) that knows this IPv4 address of every name, and no IPv6; or that never answers. */
export async function startNameServer(ipv4: string | 'silent'): Promise<NameServer> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    if (ipv4 === 'silent') return;
    const questionEnd = query.indexOf(0, HEADER_BYTES) + 5;
    const answers = query.readUInt16BE(questionEnd - 4) === IPV4 ? 1 : 0;
    // A response, recursion available, one question.
    const header = Buffer.from([query[0] as number, query[1] as number, 0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0]);
    // The name of the question, type A, class IN, 60 seconds, 4 bytes.
    const record = Buffer.from([0xc0, HEADER_BYTES, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...ipv4.split('.').map(Number)]);
    const parts = [header, query.subarray(HEADER_BYTES, questionEnd), ...(answers > 0 ? [record] : [])];
    socket.send(Buffer.concat(parts), port, address);
  });
  await once(socket.bind(0, '127.0.0.1'), 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    async close() {
      socket.close();
      await once(socket, 'close');
    },
  };
}
