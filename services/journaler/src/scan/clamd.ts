import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { ClamdAddress } from '@indbakke/shared/config';

/** What clamd answers about a file. */
export type ClamdAnswer =
  | { readonly is: 'clean' }
  /** By the name of a signature, or of a heuristic. */
  | { readonly is: 'found'; readonly name: string }
  | { readonly is: 'too-large' }
  /** It could not scan the file, and says so. */
  | { readonly is: 'error' };

/**
 * `no-connection`: clamd cannot be reached. `no-answer`: it was, and then fell silent, hung up or died. `wrong-answer`: what answers is
 * not clamd.
 */
export class ClamdAway extends Error {
  readonly code: 'no-connection' | 'no-answer' | 'wrong-answer';

  constructor(code: ClamdAway['code'], cause?: unknown) {
    super(code, { cause });
    this.code = code;
  }
}

// A zero byte ends command and reply. clamd(8), COMMANDS
const INSTREAM = Buffer.from('zINSTREAM\0');
const PING = Buffer.from('zPING\0');
const END_OF_STREAM = Buffer.alloc(4);
const FOUND = ' FOUND';
// A reply has the name of a signature, which may be long; what sends more is not clamd.
const MAX_REPLY_BYTES = 65_536;
const CONNECT_MS = 5_000;

/**
 * Has clamd scan content, over a connection of its own.
 *
 * @param quietMs how long clamd may take no more of the content, or think about the whole of it
 * @param signal aborts with its reason
 * @throws ClamdAway; what the content throws
 */
export async function scan(
  address: ClamdAddress,
  content: AsyncIterable<Buffer>,
  { quietMs, signal }: { readonly quietMs: number; readonly signal: AbortSignal },
): Promise<ClamdAnswer> {
  const reply = await exchange(address, { quietMs, signal }, async function* () {
    yield INSTREAM;
    for await (const bytes of content) {
      if (bytes.length === 0) continue; // its length would be the end of the stream
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      yield length;
      yield bytes;
    }
    yield END_OF_STREAM;
  });
  return readReply(reply);
}

/** @throws ClamdAway unless clamd is there */
export async function ping(address: ClamdAddress, signal: AbortSignal): Promise<void> {
  const reply = await exchange(address, { quietMs: CONNECT_MS, signal }, async function* () {
    yield PING;
  });
  if (reply !== 'PONG') throw new ClamdAway('wrong-answer');
}

/** @throws ClamdAway wrong-answer for anything that clamd does not say: nothing counts as clean by mistake */
export function readReply(reply: string): ClamdAnswer {
  if (reply === 'stream: OK') return { is: 'clean' };
  // “INSTREAM size limit exceeded. ERROR”, when it has more than StreamMaxLength
  if (/^INSTREAM size limit exceeded\. ERROR$/.test(reply)) return { is: 'too-large' };
  // Whatever the name is: it is cleaned before it is shown.
  if (reply.endsWith(FOUND)) return { is: 'found', name: reply.slice(0, -FOUND.length).replace(/^stream: /, '') };
  if (reply.endsWith(' ERROR')) return { is: 'error' };
  throw new ClamdAway('wrong-answer');
}

interface Limits {
  readonly quietMs: number;
  readonly signal: AbortSignal;
}

/** Sends a command and reads its reply, without the zero byte. clamd may reply before it has everything, and hang up. */
async function exchange(
  address: ClamdAddress,
  { quietMs, signal }: Limits,
  request: () => AsyncGenerator<Buffer>,
): Promise<string> {
  signal.throwIfAborted();
  const socket = connect({ ...address, noDelay: true });
  const abort = () => socket.destroy(signal.reason);
  signal.addEventListener('abort', abort);
  const reply = replyOf(socket);
  reply.catch(() => {}); // awaited below, unless the content fails first
  try {
    await connected(socket);
    socket.removeAllListeners('timeout').setTimeout(quietMs, () => socket.destroy(new ClamdAway('no-answer')));
    for await (const bytes of request()) {
      await setImmediate(); // what clamd answered before it hung up is read before a write fails
      if (!socket.writable || !(await written(socket, bytes))) break;
    }
    return await reply;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    socket.destroy();
  }
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(CONNECT_MS, () => socket.destroy(new ClamdAway('no-connection')));
    socket.once('connect', resolve);
    socket.once('error', (error) => reject(error instanceof ClamdAway ? error : new ClamdAway('no-connection', error)));
    socket.once('close', () => reject(new ClamdAway('no-connection')));
  });
}

/** @returns false when clamd takes no more: then its reply says why */
function written(socket: Socket, bytes: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('close', done);
      resolve(socket.writable);
    };
    socket.once('close', done);
    socket.write(bytes, done);
  });
}

function replyOf(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let reply = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      reply = Buffer.concat([reply, bytes]);
      const end = reply.indexOf(0);
      if (end >= 0) resolve(reply.toString('latin1', 0, end));
      else if (reply.length > MAX_REPLY_BYTES) socket.destroy(new ClamdAway('wrong-answer'));
    });
    socket.on('error', (error) => reject(error instanceof ClamdAway ? error : new ClamdAway('no-answer', error)));
    socket.on('close', () => reject(new ClamdAway('no-answer')));
  });
}
