import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type SecureContextOptions, TLSSocket } from 'node:tls';
import type { Express, RequestHandler } from 'express';
import { type CommonConfig, KiB, MINUTE, SECOND } from '../config/index.js';
import { uuidOf } from '../ids/index.js';
import { type Log, withCorrelation } from '../log/index.js';
import type { Metrics } from '../metrics/index.js';
import { type EndRequest, withRequest } from '../tracing/index.js';
import type { OwnCertificate } from './own-certificate.js';
import { answerUnreadable, type LatestAnswers, MAX_HEADER_BYTES, type OnUnreadable, refuseCall } from './unreadable.js';

/**
 * Gives every request a correlation id (the caller’s transaction id, if sent), echoes it, and logs, measures and traces the
 * request when it ends.
 */
export function trackRequests(log: Log, metrics: Metrics): RequestHandler {
  return (req, res, next) => {
    const started = performance.now();
    const sent = req.get('x-transaktionsid') ?? req.get('x-correlation-id');
    const correlationId = uuidOf(sent ?? '') ?? randomUUID();
    res.set('X-Correlation-Id', correlationId);
    let endSpan: EndRequest = () => {};
    res.once('close', () => {
      const seconds = (performance.now() - started) / 1_000;
      const operation = String(res.locals.operation ?? 'other');
      const status = res.writableFinished ? String(res.statusCode) : 'cut';
      metrics.requests.observe({ operation, status }, seconds);
      if (operation === 'other') return endSpan(undefined, {}, undefined);
      endSpan(operation, { status }, status === 'cut' || status >= '500' ? status : undefined);
      const milliseconds = Math.round(seconds * 1_000);
      // Again, since `close` comes from the socket, outside the request's async context.
      withCorrelation(correlationId, () => log.info('request', { operation, status, milliseconds }));
    });
    withCorrelation(correlationId, () => {
      endSpan = withRequest(req.get('traceparent'), next);
    });
  };
}

export interface Listening {
  readonly url: string;
  /** Shows a renewed certificate to new connections. @throws Error when it cannot be used; then the former one is shown */
  renew(): Promise<void>;
  /** Accepts no new connections, waits for requests in flight (until the deadline), then resolves. */
  close(deadlineMs: number): Promise<void>;
}

/** The setting that names a port. */
export type PortSetting = 'PORT' | 'OPS_PORT' | 'SF1606_TLS_PORT';

/**
 * Serves HTTP/1.1 as clients and proxies speak it; with a certificate of ours, over TLS 1.2 or 1.3. Clients are asked for theirs then,
 * and who has none or another gets in: the route decides, and can say why.
 *
 * @throws Error with a sentence when the port is taken or not allowed, or the certificate cannot be used
 */
export async function listen(
  app: Express,
  { HOST: host, PORT: port, KEEP_ALIVE_SECONDS }: Pick<CommonConfig, 'HOST' | 'PORT' | 'KEEP_ALIVE_SECONDS'>,
  onUnreadable: OnUnreadable,
  setting: PortSetting = 'PORT',
  certificate?: OwnCertificate,
): Promise<Listening> {
  const secure = await certificate?.changed();
  const server = newServer(KEEP_ALIVE_SECONDS * SECOND, secure);
  const latest: LatestAnswers = new Map();
  server.on(secure ? 'secureConnection' : 'connection', (socket: Socket) => {
    latest.set(socket, undefined);
    socket.once('close', () => latest.delete(socket));
  });
  // Of TLS also those that have not begun it, of which HTTP knows nothing.
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  // Such as one that was not done in time: what hears of those that HTTP cannot read leaves it open.
  server.on('tlsClientError', (_error, socket) => void socket.destroy());
  const refuse = (status: number, code: string, res: ServerResponse) => {
    onUnreadable(status, code);
    refuseCall(res, status);
  };
  const answer = (req: IncomingMessage, res: ServerResponse) => {
    latest.set(req.socket, res);
    if (!server.listening) res.shouldKeepAlive = false;
    res.once('finish', () => discardRest(req));
    res.once('prefinish', () => endWrite(res));
    if (!namesOneHost(req)) return refuse(400, 'HOST', res);
    if (!isFramedPlainly(req)) return refuse(501, 'TRANSFER_ENCODING', res);
    app(req, res);
  };
  server.on('request', answer);
  server.on('checkContinue', (req, res) => {
    askForBodyWhenRead(req, res);
    answer(req, res);
  });
  answerUnreadable(server, latest, onUnreadable);
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new Error(listenFault(error as NodeJS.ErrnoException, host, port, setting), { cause: error });
  }
  const { port: chosen } = server.address() as AddressInfo;
  return {
    url: `${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${chosen}`,
    async renew() {
      const renewed = await certificate?.changed();
      if (renewed && server instanceof SecureServer) server.setSecureContext(renewed);
    },
    close: (deadline) => close(server, latest, connections, deadline),
  };
}

// For a handshake, and for the headers of a request.
const HEADERS_MS = 30 * SECOND;

function newServer(keepAliveTimeout: number, secure: SecureContextOptions | undefined): Server {
  const options = {
    highWaterMark: 64 * KiB,
    maxHeaderSize: MAX_HEADER_BYTES,
    keepAliveTimeout,
    headersTimeout: HEADERS_MS,
    // A 100 MB upload over a slow connection takes longer than Node’s 5 minutes for a whole request.
    requestTimeout: 30 * MINUTE,
    connectionsCheckingInterval: 5 * SECOND,
    requireHostHeader: false, // checked below: Node would refuse without a trace
  };
  const server = secure
    ? createSecureServer({
        ...options,
        ...secure,
        requestCert: true,
        rejectUnauthorized: false,
        handshakeTimeout: HEADERS_MS,
        ALPNProtocols: ['http/1.1'],
      })
    : createServer(options);
  // A peer that neither sends nor reads for this long is gone or malicious.
  server.timeout = 2 * MINUTE;
  // Node would drop those after the 2000th unseen, and with them what a proxy appends. MAX_HEADER_BYTES bounds them.
  server.maxHeadersCount = 0;
  // A client may end its own direction after the request and still read (RFC 9112, 9.6); Node would close at once.
  Object.assign(server, { httpAllowHalfOpen: true });
  // Over TLS only once the handshake is done: one that ends within it would stay open until its timeout.
  server.on('secureConnection', (socket: Socket) => {
    socket.allowHalfOpen = true;
  });
  return server;
}

// How long a caller may keep sending after the answer: long enough to read it.
const DRAIN_MS = 10 * SECOND;

/** Discards what a caller still sends after the answer, for a while, so that it reads that and can reuse the connection. */
function discardRest(req: IncomingMessage): void {
  if (req.complete) return;
  // Node does this only for a request that was never read from.
  req.resume();
  const timer = setTimeout(() => req.socket.destroy(), DRAIN_MS);
  req.once('close', () => clearTimeout(timer));
  timer.unref();
}

// An answer over TLS is a receipt, which the operating system takes at once.
const WRITE_MS = 2 * SECOND;

/**
 * Ends a connection whose peer sends no more, when an answer that is given to it is not written soon. Node does not notice that a peer
 * has reset a connection over TLS 1.3 which was read to its end: the write would wait until the idle timeout, and hold a place for
 * uploads. Answers are written one after the other, so that no other one is timed meanwhile; those still being made may take their time.
 */
function endWrite(res: ServerResponse): void {
  const { socket } = res.req;
  if (!(socket instanceof TLSSocket) || !socket.readableEnded) return;
  const timer = setTimeout(() => socket.destroy(), WRITE_MS);
  res.once('close', () => clearTimeout(timer));
}

/** RFC 9112, 3.2: HTTP/1.1 has exactly one Host. */
function namesOneHost(req: IncomingMessage): boolean {
  return req.httpVersion === '1.0' || req.headersDistinct.host?.length === 1;
}

/** RFC 9112, 6.1: chunks are undone, a compression in them is not. */
function isFramedPlainly(req: IncomingMessage): boolean {
  return /^\s*chunked\s*$/i.test(req.headers['transfer-encoding'] ?? 'chunked');
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

function listenFault(error: NodeJS.ErrnoException, host: string, port: number, setting: string): string {
  if (error.code === 'EADDRINUSE')
    return `Port ${port} on ${host} is taken by another program. Set ${setting} to another one.`;
  if (error.code === 'EACCES') return `Port ${port} may not be opened by this user. Set ${setting} to one over 1023.`;
  return `Cannot listen on ${host}, port ${port}: ${error.code ?? error.message}.`;
}

const IDLE_CHECK_MS = 100;

async function close(
  server: Server,
  latest: LatestAnswers,
  connections: ReadonlySet<Socket>,
  deadlineMs: number,
): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  // So that no client sends its next request on a connection that is about to end.
  for (const res of latest.values()) if (res) res.shouldKeepAlive = false;
  const idle = setInterval(() => {
    // Answers whose headers were sent before.
    server.closeIdleConnections();
    // Never used, which to Node is not idle. Not at once: a request may be on its way.
    for (const socket of latest.keys()) if (socket.bytesRead === 0) socket.destroy();
  }, IDLE_CHECK_MS);
  const deadline = setTimeout(() => {
    for (const socket of connections) socket.destroy();
  }, deadlineMs);
  await closed;
  clearInterval(idle);
  clearTimeout(deadline);
}
