import { type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { KiB } from '../config/index.js';

/** Headers of a request in all, request line included: a token with hundreds of groups fits. */
export const MAX_HEADER_BYTES = 32 * KiB;

/** Hears of every request that no route sees. `code` names the fault and quotes nothing of it. */
export type OnUnreadable = (status: number, code: string) => void;

/** Every open connection, with the latest answer on it. */
export type LatestAnswers = Map<Socket, ServerResponse | undefined>;

/** Faults that Node’s parser finds; any other is 400. */
const STATUSES: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

const SENTENCES: Readonly<Record<number, string>> = {
  400: 'The request is not HTTP/1.1 as RFC 9112 defines it.',
  408: 'The request did not arrive in time.',
  413: 'The extensions of a chunk are too long.',
  417: 'The only expectation that can be met is 100-continue.',
  431: `The headers are over ${MAX_HEADER_BYTES} bytes, the limit.`,
  501: 'There is no CONNECT here, and no Transfer-Encoding but chunked.',
};

// How long a refused peer may keep sending: bytes that nobody reads reset the connection before it has read the answer.
const DRAIN_MS = 2_000;

/** Answers what never becomes a call: what Node’s parser refuses, CONNECT, an unknown expectation. */
export function answerUnreadable(server: Server, latest: LatestAnswers, onUnreadable: OnUnreadable): void {
  server.on('clientError', (error: NodeJS.ErrnoException, duplex) => {
    const { code = '' } = error;
    const socket = duplex as Socket;
    const res = latest.get(socket);
    // Refused already and still sending; disconnected; or opened for later and never used, which the idle timeout ends.
    if (socket.writableEnded || socket.destroyed || socket.bytesRead === 0) return;
    const isAnswering = res !== undefined && !res.writableFinished;
    if (isAnswering && code === 'HPE_INVALID_EOF_STATE') return endWithAnswer(socket, res, error);
    const status = STATUSES[code] ?? 400;
    // What follows a whole request must not cost it its answer: the change is made, or the message stored.
    if (isAnswering && res.req.complete) {
      if (!res.shouldKeepAlive) return; // it ends with its answer anyway
      onUnreadable(status, code);
      return endWithAnswer(socket, res, error);
    }
    if (isAnswering && res.headersSent) return void socket.destroy();
    onUnreadable(status, code);
    refuse(socket, status);
    if (res) failBody(res, error);
  });
  server.on('connect', (_req, socket) => {
    onUnreadable(501, 'CONNECT');
    socket.on('error', () => {}); // disconnected
    refuse(socket, 501);
    socket.resume();
  });
  server.on('checkExpectation', (_req, res) => {
    onUnreadable(417, 'EXPECTATION');
    refuseCall(res, 417);
  });
}

/** The same for a request that the parser accepts. */
export function refuseCall(res: ServerResponse, status: number): void {
  const body = `${SENTENCES[status]}\n`;
  res.writeHead(status, { 'Content-Type': 'text/plain', 'Content-Length': body.length, Connection: 'close' }).end(body);
}

/** No further request can come, but the peer may still read: a request that is not whole fails, and its answer says why. */
function endWithAnswer(socket: Duplex, res: ServerResponse, error: Error): void {
  res.shouldKeepAlive = false;
  res.once('close', () => socket.end()); // in case the headers are sent already
  failBody(res, error);
}

/** Whoever reads the body now or later fails. Node would destroy the socket with it, which is to carry the answer. */
export function failBody({ req }: ServerResponse, error: Error): void {
  if (req.complete) return;
  req._destroy = (_cause, done) => done(req.listenerCount('error') > 0 ? error : null);
  req.destroy();
}

function refuse(socket: Duplex, status: number): void {
  const body = `${SENTENCES[status]}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nDate: ${new Date().toUTCString()}\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
  const timer = setTimeout(() => socket.destroy(), DRAIN_MS);
  socket.once('close', () => clearTimeout(timer));
}
