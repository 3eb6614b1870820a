import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express, RequestHandler } from 'express';
import { z } from 'zod';
import { type Log, withCorrelation } from '../log/index.js';
import type { Metrics } from '../metrics/index.js';

/**
 * Gives every request a correlation id (the caller’s transaction id, if sent), echoes it, and logs and measures the request
 * when it ends.
 */
export function trackRequests(log: Log, metrics: Metrics): RequestHandler {
  return (req, res, next) => {
    const started = performance.now();
    const sent = req.get('x-transaktionsid') ?? req.get('x-correlation-id');
    const correlationId = sent && z.regexes.guid.test(sent) ? sent.toLowerCase() : randomUUID();
    res.set('X-Correlation-Id', correlationId);
    res.once('close', () => {
      const seconds = (performance.now() - started) / 1_000;
      const operation = String(res.locals.operation ?? 'other');
      const status = res.writableFinished ? String(res.statusCode) : 'cut';
      metrics.requests.observe({ operation, status }, seconds);
      if (operation === 'other') return;
      const milliseconds = Math.round(seconds * 1_000);
      // Again, since `close` comes from the socket, outside the request's async context.
      withCorrelation(correlationId, () => log.info('request', { operation, status, milliseconds }));
    });
    withCorrelation(correlationId, next);
  };
}

export interface Listening {
  readonly url: string;
  /** Accepts no new connections, waits for requests in flight (until the deadline), then resolves. */
  close(deadlineMs: number): Promise<void>;
}

/** @throws Error with a sentence when the port is taken or not allowed */
export async function listen(app: Express, host: string, port: number): Promise<Listening> {
  const server = createServer({ highWaterMark: 64 * 1_024 }, app);
  // A 100 MB upload over a slow connection takes longer than Node’s 5 minutes for a whole request.
  server.requestTimeout = 30 * 60 * 1_000;
  // A peer that neither sends nor reads for this long is gone or malicious.
  server.timeout = 2 * 60 * 1_000;
  server.on('checkContinue', (req, res) => {
    askForBodyWhenRead(req, res);
    app(req, res);
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new Error(listenFault(error as NodeJS.ErrnoException, host, port), { cause: error });
  }
  const { port: chosen } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${chosen}`,
    close: (deadline) => close(server, deadline),
  };
}

/**
 * Sends `100 Continue` to a caller that waits for it (`Expect: 100-continue`) only once the body is read. A request that is
 * refused unread gets its answer instead and the connection closes, since the next bytes may or may not be that body
 * (RFC 9110, 10.1.1). Node itself would request every body before the headers are checked.
 */
function askForBodyWhenRead(req: IncomingMessage, res: ServerResponse): void {
  const keepAlive = res.shouldKeepAlive;
  res.shouldKeepAlive = false;
  const onListener = (event: string | symbol) => {
    if (event !== 'data' && event !== 'readable') return;
    req.off('newListener', onListener);
    if (res.headersSent) return;
    res.shouldKeepAlive = keepAlive;
    res.writeContinue();
  };
  req.on('newListener', onListener);
}

function listenFault(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === 'EADDRINUSE')
    return `Port ${port} on ${host} is taken by another program. Set PORT to another one.`;
  if (error.code === 'EACCES') return `Port ${port} may not be opened by this user. Set PORT to one over 1023.`;
  return `Cannot listen on ${host}, port ${port}: ${error.code ?? error.message}.`;
}

const IDLE_CHECK_MS = 100;

async function close(server: Server, deadlineMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  // A connection kept alive after its answer would delay the end until its own timeout.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs);
  await closed;
  clearInterval(idle);
  clearTimeout(deadline);
}
