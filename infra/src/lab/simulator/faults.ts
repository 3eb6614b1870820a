import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { BIG_MEMO_BYTES } from '../../testkit/big-memo.js';
import { type Answer, NoAnswer, type ShownCertificate } from './client.js';
import { type Body, bodyOf, type Channel } from './letters.js';
import type { RawConnection } from './raw-connection.js';
import { isAway, isRefusal, JSON_RECEIPT, type Reading } from './receipts.js';
import { LARGEST } from './rhythm.js';

/**
 * What a correct receiver does in the end. `taken`: it acknowledges the letter, once it is sent properly at the latest.
 * `refused`: it never acknowledges it. `either`: it may do both, and what it acknowledges it has.
 */
export type Expected = 'taken' | 'refused' | 'either';

/** A thing that goes wrong between sender and receiver, or that a sender does as it should not. */
export interface Fault {
  readonly name: string;
  /** One sentence. */
  readonly does: string;
  /** One sentence: what a correct receiver does. */
  readonly expects: string;
  readonly expected: Expected;
  /** Played over TLS only, with the certificates that it needs. */
  readonly needs?: 'tls' | 'other-certificate' | 'expired-certificate';
  /** Whether it shows only if the receiver can call the simulator. */
  readonly isCalledBack?: true;
  /** What the answers do not show. */
  readonly unseen?: Unseen;
  /** @throws Misbehaved, or NoAnswer where an answer is due */
  play(stage: FaultStage): Promise<void>;
}

/** Something that is expected, and when it is checked: with the plan’s `inbox`, or where the receiver has the same files. */
export interface Unseen {
  readonly what: string;
  readonly isChecked: 'with an inbox' | 'on this machine';
}

/** The receiver did not do what it must. */
export class Misbehaved extends Error {}

/** It did not because it cannot just now. */
export class Unavailable extends Misbehaved {}

/** A letter of a fault. */
export interface FaultLetter {
  readonly messageUUID: string;
  /** Empty of one of a given size, which is sent from its body. */
  readonly xml: Buffer;
  readonly body: Body;
}

/** How it differs from others. */
export interface FaultLetterSpec {
  /** Default: `taken`. */
  readonly expected?: Expected;
  readonly createdAt?: string;
  readonly fileName?: string;
  /** Of its XML; default: 2 kB. */
  readonly bytes?: number;
}

export interface FaultStage {
  /** Of the simulator, in a URL for the receiver. */
  readonly ownHost: string;
  /** Of the receiver, and its path for letters as they are. */
  readonly host: string;
  readonly path: string;
  readonly own: ShownCertificate | undefined;
  readonly other: ShownCertificate | undefined;
  readonly expired: ShownCertificate | undefined;
  /**
   * A new letter, which is accounted for.
   *
   * @param change made to its XML, in all that is sent of it
   */
  take(spec?: FaultLetterSpec, change?: (xml: string) => string | Buffer): FaultLetter;
  /** The connection is closed when the fault is played. */
  connect(shown?: ShownCertificate | 'none'): Promise<RawConnection>;
  /** Sends it as a client does. @throws NoAnswer */
  send(letter: FaultLetter, options?: SendOptions): Promise<Reading>;
  /** Reads an answer strictly, and notes it. */
  read(letter: FaultLetter, answer: Answer): Promise<Reading>;
}

export interface SendOptions {
  /** Default: as the body, and so if it is not among those of the plan. */
  readonly channel?: Channel;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of its own. */
  readonly body?: Body;
  /** It is another letter with the same id. */
  readonly isOther?: boolean;
}

/** The host of a machine for itself. */
export const THIS_MACHINE = '127.0.0.1';

const PAUSE_MS = 3_000;
const XML = 'Content-Type: application/xml';
const CHUNKED = 'Transfer-Encoding: chunked';
const length = (bytes: number) => `Content-Length: ${bytes}`;
const chunk = (bytes: Uint8Array) =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
const headOf = ({ host, path }: FaultStage, headers: readonly string[]) =>
  `${[`POST ${path} HTTP/1.1`, `Host: ${host}`, `Accept: ${JSON_RECEIPT}`, XML, ...headers].join('\r\n')}\r\n\r\n`;
const requestOf = (stage: FaultStage, { xml }: FaultLetter) =>
  Buffer.concat([Buffer.from(headOf(stage, [length(xml.length)])), xml]);

/** Sends bytes of a letter on a connection of its own, and reads the receipt. */
async function sendRaw(
  stage: FaultStage,
  letter: FaultLetter,
  pieces: Iterable<string | Uint8Array>,
): Promise<Reading> {
  const connection = await stage.connect();
  for (const piece of pieces) await connection.send(piece);
  return stage.read(letter, await connection.answer());
}

/** Sends something that may get any answer, or none, but no receipt for the letter. */
async function sendForNothing(
  stage: FaultStage,
  letter: FaultLetter,
  pieces: Iterable<string | Uint8Array>,
  end = false,
) {
  const connection = await stage.connect();
  for (const piece of pieces) await connection.send(piece);
  if (end) connection.endSending();
  const answer = await connection.answer().catch(unlessThereIsNone);
  if (answer && !isRefusal(answer))
    throw new Misbehaved(`acknowledged ${letter.messageUUID}, of which it did not have all`);
}

function unlessThereIsNone(error: unknown): undefined {
  if (!(error instanceof NoAnswer)) throw error;
}

function mustBeTaken({ isPositive, code, status }: Reading): void {
  if (isAway(status)) throw new Unavailable(`answered ${status}: ${code}`);
  if (!isPositive) throw new Misbehaved(`gave it no positive receipt: ${code}`);
}

function sameReceipt(readings: readonly Reading[]): void {
  for (const reading of readings) mustBeTaken(reading);
  const ids = new Set(readings.map(({ transmissionId }) => transmissionId));
  if (ids.size > 1) throw new Misbehaved('gave one letter several transmissionIds');
}

/** @throws Misbehaved when what is never taken is refused other than by a client error: the platform would send it for ever */
export function mustRefuseForGood(status: number): void {
  if (isAway(status)) throw new Unavailable(`answered ${status}`);
  if (status >= 500)
    throw new Misbehaved(`answered ${status} to what it never takes: it would be sent again and again`);
}

const refusedWith = (change: (xml: string) => string | Buffer) => async (stage: FaultStage) => {
  await stage.send(stage.take({ expected: 'refused' }, change));
};

const eitherWith = (change: (xml: string) => string | Buffer) => async (stage: FaultStage) => {
  await stage.send(stage.take({ expected: 'either' }, change));
};

const ofCertificate =
  (shown: (stage: FaultStage) => ShownCertificate | 'none' | undefined) => async (stage: FaultStage) => {
    const letter = stage.take({ expected: 'refused' });
    let connection: RawConnection;
    try {
      connection = await stage.connect(shown(stage));
    } catch (error) {
      return unlessThereIsNone(error); // refused in the handshake
    }
    await connection.send(requestOf(stage, letter));
    const answer = await connection.answer().catch(unlessThereIsNone); // TLS 1.3: the refusal may come after the handshake
    if (answer) await stage.read(letter, answer);
  };

const LAUGHS = Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join('');
const withSubject = (xml: string, subject: string) => xml.replace('Henvendelse', () => subject);
const inContent = (xml: string, change: (base64: string) => string) =>
  xml.replace(/(<memo:content>)([^<]*)/, (_, tag: string, base64: string) => tag + change(base64));

/** By their names. */
export const FAULTS: readonly Fault[] = [
  {
    name: 'slow',
    does: 'The body comes in ten pieces with pauses between.',
    expects: 'It waits, and acknowledges the letter.',
    expected: 'taken',
    async play(stage) {
      const letter = stage.take();
      const connection = await stage.connect();
      await connection.send(headOf(stage, [length(letter.xml.length)]));
      const step = Math.ceil(letter.xml.length / 10);
      for (let at = 0; at < letter.xml.length; at += step) {
        await connection.send(letter.xml.subarray(at, at + step));
        await pause(PAUSE_MS / 10);
      }
      mustBeTaken(await stage.read(letter, await connection.answer()));
    },
  },
  {
    name: 'cut',
    does: 'The connection is cut before the last byte of the body, and the letter is sent again.',
    expects: 'It keeps nothing of the first, and acknowledges the second.',
    expected: 'taken',
    unseen: { what: 'nothing of the first is kept', isChecked: 'with an inbox' },
    async play(stage) {
      const letter = stage.take();
      const connection = await stage.connect();
      await connection.send(requestOf(stage, letter).subarray(0, -1));
      connection.break();
      mustBeTaken(await stage.send(letter));
    },
  },
  {
    name: 'lost-answer',
    does: 'The connection is cut when the letter has been sent and before its receipt is read; it is sent again over SOAP, if that is among the channels, then as the body.',
    expects: 'It has the letter once, and gives one receipt for it.',
    expected: 'taken',
    unseen: { what: 'the letter is there once', isChecked: 'with an inbox' },
    async play(stage) {
      const letter = stage.take();
      const connection = await stage.connect();
      await connection.send(requestOf(stage, letter));
      connection.close();
      sameReceipt([await stage.send(letter, { channel: 'soap' }), await stage.send(letter)]);
    },
  },
  {
    name: 'duplicate-at-once',
    does: 'The same letter comes four times at once: as the body, in a form, over SOAP (as far as those are among the channels), and as the body again.',
    expects: 'It has the letter once, and each of the four gets a receipt with the same transmissionId.',
    expected: 'taken',
    unseen: { what: 'the letter is there once', isChecked: 'with an inbox' },
    async play(stage) {
      const letter = stage.take();
      const channels = ['rest', 'form', 'soap', 'rest'] as const;
      sameReceipt(await Promise.all(channels.map((channel) => stage.send(letter, { channel }))));
    },
  },
  {
    name: 'same-id-other-content',
    does: 'A second letter has the id of the first and another content.',
    expects:
      'It keeps both apart or refuses the second for good: the receipt of the first is no receipt for the second.',
    expected: 'either',
    async play(stage) {
      const first = stage.take();
      const reading = await stage.send(first);
      mustBeTaken(reading);
      const other = Buffer.from(withSubject(first.xml.toString(), 'Noget helt andet'));
      const second = await stage.send(first, { body: bodyOf([other]), isOther: true });
      if (second.isPositive && second.transmissionId === reading.transmissionId)
        throw new Misbehaved('gave another letter with the same id the receipt of the first: it is lost');
      if (!second.isPositive) mustRefuseForGood(second.status);
    },
  },
  {
    name: 'half-close',
    does: 'The sender ends its direction of the connection after the request, and waits for the receipt.',
    expects: 'It answers as ever (RFC 9112, 9.6).',
    expected: 'taken',
    async play(stage) {
      const letter = stage.take();
      const connection = await stage.connect();
      await connection.send(requestOf(stage, letter));
      connection.endSending();
      mustBeTaken(await stage.read(letter, await connection.answer()));
    },
  },
  {
    name: 'pipelined',
    does: 'Twelve letters are sent on one connection, one behind the other, before the first receipt.',
    expects: 'It acknowledges each, in their order (RFC 9112, 9.3.2).',
    expected: 'taken',
    async play(stage) {
      const letters = Array.from({ length: 12 }, () => stage.take());
      const connection = await stage.connect();
      await connection.send(Buffer.concat(letters.map((letter) => requestOf(stage, letter))));
      for (const letter of letters) mustBeTaken(await stage.read(letter, await connection.answer()));
    },
  },
  {
    name: 'trailer',
    does: 'The body comes in chunks of seven bytes with an extension, and a trailer after them.',
    expects: 'It acknowledges the letter (RFC 9112, 7.1).',
    expected: 'taken',
    async play(stage) {
      const letter = stage.take();
      const { xml } = letter;
      const chunks = Array.from({ length: Math.ceil(xml.length / 7) }, (_, n) => xml.subarray(n * 7, n * 7 + 7)).map(
        (piece) => chunk(piece).toString('latin1').replace('\r\n', ';n=1\r\n'),
      );
      const bytes = Buffer.from(`${chunks.join('')}0\r\nX-Checksum: none\r\n\r\n`, 'latin1');
      mustBeTaken(await sendRaw(stage, letter, [headOf(stage, [CHUNKED, 'Trailer: X-Checksum']), bytes]));
    },
  },
  {
    name: 'expect-continue',
    does: 'The sender asks with Expect: 100-continue, and sends the body when it may.',
    expects: 'It answers 100, then acknowledges the letter (RFC 9110, 10.1.1).',
    expected: 'taken',
    async play(stage) {
      const letter = stage.take();
      const connection = await stage.connect();
      await connection.send(headOf(stage, [length(letter.xml.length), 'Expect: 100-continue']));
      const status = await connection.interim();
      if (status !== 100) throw new Misbehaved(`answered ${status} to Expect: 100-continue`);
      await connection.send(letter.xml);
      mustBeTaken(await stage.read(letter, await connection.answer()));
    },
  },
  {
    name: 'byte-by-byte',
    does: 'The headers, and the beginning of the body, come byte by byte.',
    expects: 'It acknowledges the letter.',
    expected: 'taken',
    async play(stage) {
      const letter = stage.take();
      const head = Buffer.from(headOf(stage, [length(letter.xml.length)]));
      const single = Buffer.concat([head, letter.xml.subarray(0, 200)]);
      mustBeTaken(
        await sendRaw(stage, letter, [...Array.from(single, (byte) => Buffer.of(byte)), letter.xml.subarray(200)]),
      );
    },
  },
  {
    name: 'length-too-short',
    does: 'Content-Length is 100 bytes too short.',
    expects: 'It does not acknowledge the part, and what follows is no letter; sent properly, it is acknowledged.',
    expected: 'taken',
    async play(stage) {
      const letter = stage.take();
      await sendForNothing(stage, letter, [headOf(stage, [length(letter.xml.length - 100)]), letter.xml]);
      mustBeTaken(await stage.send(letter));
    },
  },
  {
    name: 'length-too-long',
    does: 'Content-Length is 100 bytes too long, and the sender ends its direction.',
    expects: 'It does not acknowledge the letter; sent properly, it is.',
    expected: 'taken',
    async play(stage) {
      const letter = stage.take();
      await sendForNothing(stage, letter, [headOf(stage, [length(letter.xml.length + 100)]), letter.xml], true);
      mustBeTaken(await stage.send(letter));
    },
  },
  {
    name: 'two-lengths',
    does: 'There are two Content-Lengths.',
    expects: 'It refuses the request (RFC 9112, 6.3); sent properly, the letter is acknowledged.',
    expected: 'taken',
    async play(stage) {
      const letter = stage.take();
      const { length: bytes } = letter.xml;
      await sendForNothing(stage, letter, [headOf(stage, [length(bytes), length(bytes - 1)]), letter.xml]);
      mustBeTaken(await stage.send(letter));
    },
  },
  {
    name: 'gzip',
    does: 'The body is compressed, with Content-Encoding: gzip.',
    expects: 'It reads it, or refuses it with 415 (RFC 9110, 15.5.16).',
    expected: 'either',
    async play(stage) {
      const letter = stage.take({ expected: 'either' });
      const body = bodyOf([gzipSync(letter.xml)]);
      await stage.send(letter, { body, headers: { 'content-encoding': 'gzip' } });
    },
  },
  {
    name: 'utf-16',
    does: 'The XML is in UTF-16, and says so.',
    expects: 'It reads it as it is, or refuses it.',
    expected: 'either',
    play: eitherWith((xml) => Buffer.from(`\uFEFF${xml.replace('UTF-8', 'UTF-16')}`, 'utf16le')),
  },
  {
    name: 'bom',
    does: 'The XML begins with a byte order mark, as the official samples do.',
    expects: 'It acknowledges the letter.',
    expected: 'taken',
    async play(stage) {
      mustBeTaken(await stage.send(stage.take({}, (xml) => `\uFEFF${xml}`)));
    },
  },
  {
    name: 'upper-case-id',
    does: 'The id is in capitals, and the letter comes a second time with it in small letters.',
    expects: 'It is the same letter: one receipt.',
    expected: 'taken',
    async play(stage) {
      const letter = stage.take({}, (xml) =>
        xml.replace(/(<memo:messageUUID>)([^<]*)/, (_, tag: string, id: string) => tag + id.toUpperCase()),
      );
      const small = letter.xml.toString().replaceAll(letter.messageUUID.toUpperCase(), letter.messageUUID);
      sameReceipt([await stage.send(letter), await stage.send(letter, { body: bodyOf([Buffer.from(small)]) })]);
    },
  },
  {
    name: 'clock-ahead',
    does: 'The letter was created a year from now.',
    expects: 'It acknowledges the letter.',
    expected: 'taken',
    async play(stage) {
      const createdAt = new Date(Date.now() + 365 * 86_400_000).toISOString();
      mustBeTaken(await stage.send(stage.take({ createdAt })));
    },
  },
  {
    name: 'clock-before-1970',
    does: 'The letter was created in 1969.',
    expects: 'It acknowledges the letter.',
    expected: 'taken',
    async play(stage) {
      mustBeTaken(await stage.send(stage.take({ createdAt: '1969-07-20T20:17:40Z' })));
    },
  },
  {
    name: 'largest',
    does: 'The XML has exactly 99.5 MB: 99 500 000 bytes.',
    expects: 'It acknowledges the letter: it is within the limit, however that is counted.',
    expected: 'taken',
    async play(stage) {
      mustBeTaken(await stage.send(stage.take({ bytes: LARGEST })));
    },
  },
  {
    name: 'largest-mib',
    does: 'The XML has exactly 99.5 MiB: 104 333 312 bytes.',
    expects: 'It acknowledges the letter, or refuses it: it is within the limit if that is in MiB or of the files.',
    expected: 'either',
    async play(stage) {
      await stage.send(stage.take({ expected: 'either', bytes: BIG_MEMO_BYTES }));
    },
  },
  {
    name: 'path-in-file-name',
    does: 'The name of the file leads upwards in a file system.',
    expects: 'It acknowledges the letter, or refuses it, and writes no file of that name.',
    expected: 'either',
    unseen: { what: 'no such file is written', isChecked: 'on this machine' },
    async play(stage) {
      const file = `/tmp/indbakke-simulator-${randomUUID()}.txt`;
      await stage.send(stage.take({ expected: 'either', fileName: `${'../'.repeat(12)}${file.slice(1)}` }));
      if (existsSync(file)) throw new Misbehaved(`wrote ${file}, which a file name led to`);
    },
  },
  {
    name: 'billion-laughs',
    does: 'Entities of the document type expand to a billion.',
    expects: 'It refuses the letter, soon and in little memory.',
    expected: 'refused',
    play: refusedWith((xml) =>
      withSubject(xml, '&l9;').replace('<memo:Message ', `<!DOCTYPE m [<!ENTITY l0 "ha">${LAUGHS}]><memo:Message `),
    ),
  },
  {
    name: 'external-entity',
    does: 'An entity of the document type is at an address of the simulator.',
    expects: 'It refuses the letter, and asks nobody for the entity.',
    expected: 'refused',
    isCalledBack: true,
    async play(stage) {
      let asked = false;
      const server = createServer((_req, res) => {
        asked = true;
        res.end('asked');
      });
      server.listen(0, stage.ownHost === THIS_MACHINE ? THIS_MACHINE : undefined);
      await new Promise((resolve) => server.once('listening', resolve));
      const { port } = server.address() as AddressInfo;
      try {
        await refusedWith((xml) =>
          withSubject(xml, '&e;').replace(
            '<memo:Message ',
            `<!DOCTYPE m [<!ENTITY e SYSTEM "http://${stage.ownHost}:${port}/">]><memo:Message `,
          ),
        )(stage);
      } finally {
        server.close();
      }
      if (asked) throw new Misbehaved('asked for an entity that a letter named');
    },
  },
  {
    name: 'broken-base64',
    does: 'The base64 of a file has characters in it that are none.',
    expects: 'It refuses the letter: what the file was cannot be known.',
    expected: 'refused',
    play: refusedWith((xml) => inContent(xml, (base64) => `${base64.slice(0, 9)}*#!${base64.slice(9)}`)),
  },
  {
    name: 'wrapped-base64',
    does: 'The base64 of a file is in lines of 76 characters.',
    expects: 'It acknowledges the letter: white space is allowed there (xs:base64Binary).',
    expected: 'taken',
    async play(stage) {
      mustBeTaken(
        await stage.send(stage.take({}, (xml) => inContent(xml, (base64) => base64.replace(/.{1,76}/g, '\r\n$&')))),
      );
    },
  },
  {
    name: 'no-certificate',
    does: 'The sender shows no certificate.',
    expects: 'It refuses the connection or the letter.',
    expected: 'refused',
    needs: 'tls',
    play: ofCertificate(() => 'none'),
  },
  {
    name: 'wrong-certificate',
    does: 'The certificate is of the right issuer and another CVR number.',
    expects: 'It refuses the connection or the letter.',
    expected: 'refused',
    needs: 'other-certificate',
    play: ofCertificate(({ other }) => other),
  },
  {
    name: 'expired-certificate',
    does: 'The certificate has expired.',
    expects: 'It refuses the connection or the letter.',
    expected: 'refused',
    needs: 'expired-certificate',
    play: ofCertificate(({ expired }) => expired),
  },
];
