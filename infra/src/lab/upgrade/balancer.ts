import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OPERATIONS, type Operation } from '@indbakke/shared/api';

const paths = Object.values<Operation>(OPERATIONS).map(({ path, service }) => ({
  pattern: new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`),
  service,
}));

/** Which service answers a path (docs/architecture.md). */
function serviceOf(path: string): string {
  if (/^\/sf(1606|2900)/.test(path)) return 'receiver';
  return paths.find(({ pattern }) => pattern.test(path))?.service ?? 'journaler';
}

// Longer than its callers keep idle connections: a request on one that it closes meanwhile would be lost.
const KEEP_ALIVE_MS = 620_000;

/**
 * The proxy before the services: routes by path, to the copies of a service in turn. It tries nothing twice, so that a caller
 * sees what fails.
 */
export class Balancer {
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  /** Addresses of the copies, by service. */
  readonly #copies = new Map<string, string[]>();
  #turn = 0;

  private constructor() {
    this.#server = createServer((req, res) => this.#pass(req, res));
  }

  static async open(): Promise<Balancer> {
    const balancer = new Balancer();
    balancer.#server.keepAliveTimeout = KEEP_ALIVE_MS;
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    return balancer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Requests go there too from now on. */
  add(service: string, url: string): void {
    this.#copies.set(service, [...(this.#copies.get(service) ?? []), url]);
  }

  /** No new request goes there; those that are there are answered. */
  takeOut(service: string, url: string): void {
    this.#copies.set(
      service,
      (this.#copies.get(service) ?? []).filter((each) => each !== url),
    );
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
  }

  #pass(req: IncomingMessage, res: ServerResponse): void {
    const copies = this.#copies.get(serviceOf((req.url ?? '').replace(/\?.*/, ''))) ?? [];
    this.#turn += 1;
    const url = copies[this.#turn % copies.length];
    if (url === undefined) {
      res.writeHead(502).end('There is no copy.');
      return;
    }
    const { hostname, port } = new URL(url);
    const { method, url: path, headers } = req;
    const passed = request({ hostname, port, method, path, headers, agent: this.#agent });
    passed.on('response', (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(res);
      answer.on('error', () => res.destroy());
    });
    passed.on('error', () => res.destroy()); // whether it was done nobody knows
    res.on('close', () => passed.destroy());
    req.pipe(passed);
  }
}
