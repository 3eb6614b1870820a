import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What may happen to a call. */
export type Harm =
  /** An error of the server; nothing is done. */
  | 'error'
  /** The connection is cut before the server has the call. */
  | 'cut'
  /** The server does it, but its answer is lost. */
  | 'lose-answer'
  /** Nothing passes any more. */
  | 'silence'
  /** The first half of the answer's body, then the connection is cut. */
  | 'halve'
  /** An answer that is whole, but shorter than what was asked for. */
  | 'shorten'
  /** The server says that the object is there already; nothing is done. */
  | 'refuse'
  /** A bit of what is sent to the server is another one. */
  | 'flip-sent'
  /** The answer says that it is another range than the one that was asked for. */
  | 'shift';

/** A call, as `PUT ?partNumber&uploadId`, `PUT if-none-match` or `GET`: the method, the names in its query, and its condition. */
type Call = string;

/** A real HTTP proxy in front of an S3 server, which counts calls and harms some. */
export interface S3Proxy {
  readonly url: string;
  /** All calls so far, in order. */
  readonly calls: Call[];
  /** Harms the next calls of this kind. */
  harm(call: Call, how: Harm, times?: number): void;
  /** Resolves when a call of this kind is held; `release` lets it go on. */
  hold(call: Call): { readonly held: Promise<void>; release(): void };
  close(): Promise<void>;
}

export async function startS3Proxy(target: string): Promise<S3Proxy> {
  const calls: Call[] = [];
  const harms: { call: Call; how: Harm; times: number }[] = [];
  const holds: { call: Call; arrive: () => void; released: Promise<void> }[] = [];

  const takeHarm = (call: Call): Harm | undefined => {
    const found = harms.find((harm) => harm.call === call && harm.times > 0);
    if (found) found.times -= 1;
    return found?.how;
  };
  const answer = async (req: IncomingMessage, res: ServerResponse) => {
    const call = callOf(req);
    calls.push(call);
    const body = await buffer(req);
    const held = holds.findIndex((hold) => hold.call === call);
    if (held >= 0) {
      const [hold] = holds.splice(held, 1);
      hold?.arrive();
      await hold?.released;
    }
    const harm = takeHarm(call);
    if (harm === 'silence') return;
    if (harm === 'cut') return void req.socket.destroy();
    if (harm === 'error') return void res.writeHead(500).end('<Error><Code>InternalError</Code></Error>');
    if (harm === 'refuse') return void res.writeHead(412).end('<Error><Code>PreconditionFailed</Code></Error>');
    if (harm === 'flip-sent') body[0] = (body[0] ?? 0) ^ 1;
    const passed = request(`${target}${req.url}`, { method: req.method, headers: req.headers });
    passed.on('error', () => req.socket.destroy());
    passed.end(body);
    const [far] = (await once(passed, 'response')) as [IncomingMessage];
    if (harm === 'lose-answer') {
      await buffer(far);
      req.socket.destroy();
      return;
    }
    if (harm === 'halve' || harm === 'shorten') {
      const whole = await buffer(far);
      const half = whole.subarray(0, whole.length / 2);
      const length = harm === 'shorten' ? half.length : whole.length;
      res.writeHead(far.statusCode ?? 0, { ...far.headers, 'content-length': length });
      res.write(half, () => (harm === 'shorten' ? res.end() : req.socket.destroy()));
      return;
    }
    res.writeHead(far.statusCode ?? 0, harm === 'shift' ? shifted(far.rawHeaders) : far.rawHeaders);
    far.pipe(res);
    res.on('close', () => far.destroy());
  };

  const server = createServer((req, res) => {
    answer(req, res).catch(() => req.socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    harm: (call, how, times = 1) => void harms.push({ call, how, times }),
    hold(call) {
      let release = () => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      const held = new Promise<void>((arrive) => {
        holds.push({ call, arrive, released });
      });
      return { held, release: () => release() };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function callOf({ method, url, headers }: IncomingMessage): Call {
  const names = [...new URL(url ?? '', 'http://s3').searchParams.keys()].filter((name) => name !== 'x-id').sort();
  const condition = method === 'PUT' && headers['if-none-match'] ? ['if-none-match'] : [];
  return [method, ...(names.length > 0 ? [`?${names.join('&')}`] : []), ...condition].join(' ');
}

function shifted(headers: readonly string[]): string[] {
  return headers.map((text) => text.replace(/^bytes (\d+)-/, (_, start) => `bytes ${Number(start) + 1}-`));
}
