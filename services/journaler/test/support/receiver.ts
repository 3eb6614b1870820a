import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What a webhook was sent. */
export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly id: string;
  readonly event: { type: string; timestamp: string; data: Record<string, unknown> };
}

type Answer = (res: ServerResponse, received: Received) => void;

/** A server on loopback that gets webhooks, and answers as it is told; 204 when it is not. */
export interface Receiver {
  readonly url: string;
  readonly port: number;
  /** All that came, in order. */
  readonly received: readonly Received[];
  /** How many connections were made. */
  connections(): number;
  answer(with_: number | Answer): void;
  close(): Promise<void>;
}

export async function startReceiver(
  create: (listener: RequestListener) => Server = createServer,
  host = '127.0.0.1',
): Promise<Receiver> {
  const received: Received[] = [];
  let answer: Answer = (res) => res.writeHead(204).end();
  let connections = 0;
  const server = create(async (req, res) => {
    const body = await text(req);
    const one = { headers: req.headers, body, id: String(req.headers['webhook-id']), event: JSON.parse(body) };
    received.push(one);
    answer(res, one);
  });
  server.on('connection', () => {
    connections += 1;
  });
  await once(server.listen(0, host), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}/hook`,
    port,
    received,
    connections: () => connections,
    answer(with_) {
      answer = typeof with_ === 'number' ? (res) => res.writeHead(with_).end() : with_;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
