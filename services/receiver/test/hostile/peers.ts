import { deliveryHead, type RawConnection } from '../support/raw-http.js';
import { good, type HostileList, type HostilePeer } from './hostile.js';

const XML = 'Content-Type: application/xml';
const CHUNKED = 'Transfer-Encoding: chunked';
const length = (bytes: number) => `Content-Length: ${bytes}`;
const memo = () => Buffer.from(good());

/** The answer on the connection, or `cut`. */
async function answerOn(connection: RawConnection): Promise<string> {
  try {
    const { status, body } = await connection.answer();
    if (status === 200) return 'accepted';
    return /"errorCode":"([^"]+)"/.exec(body)?.[1] ?? `http ${status}`;
  } catch {
    return 'cut';
  }
}

/** Sends all of it and waits for the answer. */
const sends = (bytes: () => (string | Buffer)[], answer: string): HostilePeer => ({
  async play(connection) {
    // In one piece, so that the bytes after a fault have always arrived when the fault is found.
    await connection.send(Buffer.concat(bytes().map((piece) => Buffer.from(piece as Buffer)))).catch(() => {});
    return answerOn(connection);
  },
  answer,
});
const sendsAndWaits = (bytes: () => (string | Buffer)[], answer: string): HostilePeer => ({
  ...sends(bytes, answer),
  waits: true,
});
const head = (...headers: string[]) => deliveryHead([XML, ...headers]);
const chunk = (bytes: string | Buffer) =>
  Buffer.concat([Buffer.from(`${Buffer.byteLength(bytes).toString(16)}\r\n`), Buffer.from(bytes), Buffer.from('\r\n')]);

/** Sends this much and disconnects. It gets no answer; what matters is that nothing is left. */
const leaves = (bytes: () => (string | Buffer)[], how: 'close' | 'break'): HostilePeer => ({
  async play(connection) {
    for (const piece of bytes()) await connection.send(piece);
    connection[how]();
    return 'gone';
  },
  answer: 'gone',
});

const inSubject = () => memo().subarray(0, good().indexOf('Emne'));
const inContent = () => memo().subarray(0, good().indexOf('<memo:content>') + 20);

export const PEERS: HostileList = {
  'Content-Length too short': sends(() => [head(length(100)), memo()], 'not-xml'),
  'Content-Length too long': sendsAndWaits(() => [head(length(good().length + 1_000)), memo()], 'body-incomplete'),
  'negative Content-Length': sends(() => [head(length(-1)), memo()], 'http 400'),
  'Content-Length that is not a number': sends(() => [head('Content-Length: 1e3'), memo()], 'http 400'),
  'Content-Length of forty digits': sends(() => [head(`Content-Length: ${'9'.repeat(40)}`), memo()], 'http 400'),
  'Content-Length of a terabyte': sends(() => [head(length(2 ** 40))], 'too-large'),
  'smuggling: two different Content-Lengths': sends(() => [head(length(5), length(6)), memo()], 'http 400'),
  'smuggling: Content-Length and chunks': sends(
    () => [head(length(5), CHUNKED), chunk(memo()), '0\r\n\r\n'],
    'http 400',
  ),
  'smuggling: an unknown transfer encoding': sends(
    () => [head('Transfer-Encoding: xchunked'), chunk(memo())],
    'http 501',
  ),
  'smuggling: two transfer encodings': sends(
    () => [head('Transfer-Encoding: chunked, identity'), chunk(memo())],
    'http 400',
  ),
  'smuggling: a space before the colon': sends(() => [head('Transfer-Encoding : chunked'), chunk(memo())], 'http 400'),
  'smuggling: a header on two lines': sends(() => [head('X-A: a\r\n b', length(5)), '<a/>x'], 'http 400'),
  'smuggling: a header with a bare line feed': sends(() => [head('X-A: a\nX-B: b', length(5)), '<a/>x'], 'http 400'),
  'smuggling: a header with a NUL': sends(() => [head('X-A: a\0b', length(5)), '<a/>x'], 'http 400'),
  'smuggling: a request in the body': {
    async play(connection) {
      const inner = head(length(4));
      await connection.send(head(length(inner.length)) + inner);
      const first = await answerOn(connection);
      await connection.send(`${head(length(4))}<a/>`);
      return `${first}, then ${await answerOn(connection)}`;
    },
    answer: 'not-xml, then not-memo',
  },
  'chunk size that is not a number': sends(() => [head(CHUNKED), 'zz\r\n', memo()], 'http 400'),
  'negative chunk size': sends(() => [head(CHUNKED), '-1\r\n', memo()], 'http 400'),
  'chunk size over 64 bits': sends(() => [head(CHUNKED), `${'f'.repeat(17)}\r\n`, memo()], 'http 400'),
  'chunk longer than its size': sends(() => [head(CHUNKED), '5\r\n', memo()], 'http 400'),
  'chunk extension of 20 kB': sends(() => [head(CHUNKED), `1;a=${'a'.repeat(20_000)}\r\n<\r\n`], 'http 413'),
  'trailers of 40 kB': sends(
    () => [head(CHUNKED), chunk(memo()), `0\r\nX-A: ${'a'.repeat(40_000)}\r\n\r\n`],
    'http 431',
  ),
  'ten thousand chunks of a byte': sends(
    () => [head(CHUNKED), Buffer.concat(Array.from({ length: 10_000 }, () => chunk(' '))), '0\r\n\r\n'],
    'not-xml',
  ),
  'chunks that stall': sendsAndWaits(() => [head(CHUNKED), chunk(inContent())], 'body-incomplete'),
  'a body that never begins': sendsAndWaits(() => [head(length(1_000))], 'body-incomplete'),
  'a body that trickles': {
    async play(connection) {
      await connection.send(head(CHUNKED));
      const answer = answerOn(connection);
      const timer = setInterval(() => connection.sendChunk(' ').catch(() => {}), 50);
      return answer.finally(() => clearInterval(timer));
    },
    answer: 'body-incomplete',
    waits: true,
  },
  'headers of 20 kB': sends(() => [head(`X-A: ${'a'.repeat(20_000)}`, length(4)), '<a/>'], 'not-memo'),
  'headers of 40 kB': sends(() => [head(`X-A: ${'a'.repeat(40_000)}`, length(4)), '<a/>'], 'http 431'),
  'a forwarded header after three thousand others': sends(
    () => [head(...Array.from({ length: 3_000 }, (_, n) => `A${n}: a`), 'Via: 1.1 a', length(4)), '<a/>'],
    'caller-not-allowed',
  ),
  'ten thousand headers': sends(
    () => [head(...Array.from({ length: 10_000 }, (_, n) => `A${n}: a`), length(4)), '<a/>'],
    'http 431',
  ),
  'an unknown expectation': sends(() => [head('Expect: wonders', length(4)), '<a/>'], 'http 417'),
  'no Host': sends(() => ['POST /sf1606/PostModtag HTTP/1.1\r\n', `${length(4)}\r\n\r\n<a/>`], 'http 400'),
  'an upgrade that is not offered': sends(
    () => [head('Connection: Upgrade', 'Upgrade: h2c', length(4)), '<a/>'],
    'not-memo',
  ),
  'TLS on a plain port': sends(() => [Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3])], 'http 400'),
  'HTTP/2 without an upgrade': sends(() => ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'], 'http 400'),
  'a version to come': sends(() => ['POST /sf1606/PostModtag HTTP/3.0\r\nHost: test\r\n\r\n'], 'http 400'),
  'a method in lower case': sends(() => ['post /sf1606/PostModtag HTTP/1.1\r\nHost: test\r\n\r\n'], 'http 400'),
  'the PROXY protocol': sends(
    () => ['PROXY TCP4 203.0.113.9 203.0.113.8 1 2\r\n', head(length(4)), '<a/>'],
    'http 400',
  ),
  'two Hosts': sends(() => [head('Host: other', length(4)), '<a/>'], 'http 400'),
  CONNECT: sends(() => ['CONNECT test:443 HTTP/1.1\r\nHost: test:443\r\n\r\n', 'noise'], 'http 501'),
  noise: sends(() => [Buffer.alloc(1_000, '\x07noise')], 'http 400'),
  'gone in the headers': leaves(() => ['POST /sf1606/PostModtag HTTP/1.1\r\nHo'], 'close'),
  'gone before the body': leaves(() => [head(CHUNKED)], 'close'),
  'gone in a chunk size': leaves(() => [head(CHUNKED), '1'], 'break'),
  'gone in a chunk': leaves(() => [head(CHUNKED), 'ff\r\n<?xml'], 'break'),
  'gone in the subject': leaves(() => [head(CHUNKED), chunk(inSubject())], 'close'),
  'gone in a content': leaves(() => [head(CHUNKED), chunk(inContent())], 'break'),
  'gone before the last chunk': leaves(() => [head(CHUNKED), chunk(memo())], 'close'),
  'gone in the last chunk': leaves(() => [head(CHUNKED), chunk(memo()), '0\r\n'], 'break'),
};
