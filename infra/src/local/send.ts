import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { ERRORS, type ErrorCode } from '@indbakke/shared/errors';
import { Parser, processors } from 'xml2js';
import { refuseWhatNpmKept, runCommand } from './command.js';
import { readLocalStack, statePaths } from './state.js';

const USAGE = `npm run send -- FILE… [--soap] [--url URL]

Delivers MeMo messages, one file after the other, as Serviceplatformen would: to the Indbakke that npm start runs here.
  --soap       over SOAP instead of REST
  --url URL    to the Indbakke at this address, such as http://localhost:8080

Prints a line for each file; scripts may rely on its fields, which are separated by tabs:
  FILE  STATUS  messageUUID  transmissionId  timeStamp  SECONDS  REASON
STATUS is the receiptStatus of the receipt: COMPLETED, or NOT_ALLOWED or INVALID with the reason (code and sentence). Or it is
FAILED: no receipt came, or one that asks to send again later; the reason is a sentence. What is unknown is a hyphen.
Exit status 0: all COMPLETED; 1: not all. Progress of large files goes to standard error.`;

const SEND_AGAIN = 503; // over SOAP the receipt's code says so alone: a fault is HTTP 500 (SOAP 1.1, 6.2)

const MB = 1_000_000;
const LARGE = 5 * MB;

const ENVELOPE_START =
  '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><PostModtagRequest xmlns="urn:indbakke:sf1606:1">';
const ENVELOPE_END = '</PostModtagRequest></soap:Body></soap:Envelope>';

interface Letter {
  /** As it was named on the command line. */
  readonly name: string;
  readonly path: string;
  readonly size: number;
}

interface Body {
  readonly length: number;
  readonly pieces: AsyncIterable<Buffer>;
}

/** What differs between the two ways in. */
interface Endpoint {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly wrap: (letter: Letter) => Promise<Body>;
  /** The fields of the receipt in an answer. @throws when it is of another kind */
  readonly read: (answer: string) => Partial<Receipt> | undefined;
}

type Receipt = { readonly receiptStatus: string } & Readonly<Record<string, string | undefined>>;

interface Delivery {
  /** The receipt's own, or FAILED. */
  readonly status: string;
  readonly receipt: Receipt | undefined;
  /** In a sentence; empty for COMPLETED. */
  readonly reason: string;
}

const REST: Endpoint = {
  path: '/sf1606/PostModtag',
  headers: { 'Content-Type': 'application/xml', Accept: 'application/json' },
  wrap: async ({ path, size }) => ({ length: size, pieces: createReadStream(path) }),
  read: (answer) => JSON.parse(answer),
};

const SOAP: Endpoint = {
  path: '/sf1606/soap',
  headers: { 'Content-Type': 'text/xml; charset=utf-8', SOAPAction: '""' },
  wrap: inEnvelope,
  read(answer) {
    const parser = new Parser({ explicitArray: false, ignoreAttrs: true, tagNameProcessors: [processors.stripPrefix] });
    let envelope: unknown;
    parser.parseString(answer, (_error, parsed) => {
      envelope = parsed;
    });
    return findReceipt(envelope);
  },
};

await runCommand(USAGE, async () => {
  refuseWhatNpmKept('send', ['soap', 'url']);
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      soap: { type: 'boolean', default: false },
      url: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return USAGE;
  if (positionals.length === 0) throw new Error(`Name the files to send.\n\n${USAGE}`);
  const letters = await Promise.all(positionals.map(findLetter));
  const endpoint = values.soap ? SOAP : REST;
  const url = baseUrl(values.url) + endpoint.path;
  for (const letter of letters) {
    const began = performance.now();
    const delivery = await deliver(letter, url, endpoint);
    process.stdout.write(`${lineOf(letter, delivery, (performance.now() - began) / 1_000)}\n`);
    if (delivery.status !== 'COMPLETED') process.exitCode = 1;
  }
  return '';
});

async function findLetter(name: string): Promise<Letter> {
  // npm runs scripts in the clone; INIT_CWD is the folder that it was called from.
  const path = resolve(process.env.INIT_CWD ?? '.', name);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw new Error(`${name} is a folder; name the files in it. Nothing was sent.\n\n${USAGE}`);
  if (!found?.isFile()) throw new Error(`There is no file ${name}. Nothing was sent.\n\n${USAGE}`);
  return { name, path, size: found.size };
}

function baseUrl(given: string | undefined): string {
  const url = given ?? readLocalStack(statePaths())?.url;
  if (url === undefined) {
    throw new Error('Indbakke is not running here. Start it with npm start, or name another one with --url.');
  }
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    throw new Error(`${url} is no address. Write it like http://localhost:8080.\n\n${USAGE}`);
  }
  return url.replace(/\/+$/, '');
}

async function deliver(letter: Letter, url: string, endpoint: Endpoint): Promise<Delivery> {
  try {
    const { status, answer } = await post(url, endpoint.headers, withProgress(letter, await endpoint.wrap(letter)));
    const receipt = receiptIn(answer, endpoint);
    if (!receipt) return failed(`${url} answered with HTTP ${status} and no receipt. Is the address right?`);
    const { receiptStatus, errorCode, errorMessage } = receipt;
    if (receiptStatus === 'COMPLETED') return { status: receiptStatus, receipt, reason: '' };
    const failedHere = status === SEND_AGAIN || ERRORS[errorCode as ErrorCode]?.http === SEND_AGAIN;
    return { status: failedHere ? 'FAILED' : receiptStatus, receipt, reason: `${errorCode}: ${errorMessage}` };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return failed(`The message could not be sent to ${url}: ${code ?? message}.`);
  }
}

function failed(reason: string): Delivery {
  return { status: 'FAILED', receipt: undefined, reason };
}

function lineOf({ name }: Letter, { status, receipt, reason }: Delivery, seconds: number): string {
  const ids = [receipt?.messageUUID, receipt?.transmissionId, receipt?.timeStamp].map((id) => id || '-');
  const fields = [name, status, ...ids, seconds.toFixed(2), reason || '-'];
  return fields.map((field) => field.replace(/[\s\p{Cc}]+/gu, ' ')).join('\t');
}

// ── HTTP ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Node's own client and not fetch, which gives up on an answer that takes over 5 minutes and does not tell the length. */
async function post(
  url: string,
  headers: Endpoint['headers'],
  { length, pieces }: Body,
): Promise<{ status: number; answer: string }> {
  const send = url.startsWith('https:') ? httpsRequest : httpRequest;
  const request = send(url, { method: 'POST', headers: { ...headers, 'Content-Length': length } });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
  });
  // When it fails, so does the answer; unless that came first: then the message was refused half-way, and that counts.
  const sent = pipeline(pieces, request).catch(() => {});
  const response = await answered;
  const answer = await text(response);
  if (!request.writableFinished) request.destroy();
  await sent;
  return { status: response.statusCode ?? 0, answer };
}

function withProgress({ name }: Letter, { length, pieces }: Body): Body {
  return { length, pieces: length > LARGE ? reportQuarters(name, length, pieces) : pieces };
}

async function* reportQuarters(name: string, length: number, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let sent = 0;
  let told = 0;
  for await (const piece of pieces) {
    yield piece;
    sent += piece.length;
    const quarters = Math.floor((4 * sent) / length);
    if (quarters > told) process.stderr.write(`${name}: ${quarters * 25} % of ${(length / MB).toFixed(1)} MB sent\n`);
    told = quarters;
  }
}

function receiptIn(answer: string, { read }: Endpoint): Receipt | undefined {
  try {
    const receipt = read(answer);
    return receipt?.receiptStatus === undefined ? undefined : { ...receipt, receiptStatus: receipt.receiptStatus };
  } catch {
    return undefined;
  }
}

// ── SOAP ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The file with an envelope around it, never in memory as a whole. */
async function inEnvelope({ path, size }: Letter): Promise<Body> {
  const { declaration, length: skipped } = await readProlog(path);
  // An XML declaration may stand at the very beginning only, so it moves there; a byte order mark goes.
  const start = Buffer.from(declaration + ENVELOPE_START);
  const end = Buffer.from(ENVELOPE_END);
  async function* pieces(): AsyncGenerator<Buffer> {
    yield start;
    yield* createReadStream(path, { start: skipped });
    yield end;
  }
  return { length: start.length + size - skipped + end.length, pieces: pieces() };
}

/** What stands before the root element, as far as an envelope cannot hold it; `length` is in bytes. */
async function readProlog(path: string): Promise<{ declaration: string; length: number }> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1_024), 0, 1_024, 0);
    const beginning = buffer.toString('latin1', 0, bytesRead);
    const [prolog = '', declaration = ''] =
      /^(?:\xef\xbb\xbf)?[ \t\r\n]*(<\?xml[ \t\r\n][^>]*\?>)?/.exec(beginning) ?? [];
    return { declaration, length: prolog.length };
  } finally {
    await file.close();
  }
}

/** The answer's receipt, or that in the detail of its fault. */
function findReceipt(of: unknown): Partial<Receipt> | undefined {
  if (typeof of !== 'object' || of === null) return undefined;
  if ('receiptStatus' in of) return of as Receipt;
  return Object.values(of).map(findReceipt).find(Boolean);
}
