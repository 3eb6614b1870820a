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
import { BadArgument, rejectOptionsTakenByNpm, runCommand } from './command.js';
import { sendDocument } from './distribution/send-document.js';
import { runningUrl } from './running-url.js';

const USAGE = `npm run send -- FILE… [--soap] [--url URL]
npm run send -- --document FILE [--case UUID]

Delivers MeMo files one by one, as Serviceplatformen would, to the Indbakke running here.
  --soap       use SOAP instead of REST
  --url URL    deliver to this address, such as http://localhost:8080

Prints one line per file with tab-separated fields, which scripts may rely on:
  FILE  STATUS  messageUUID  transmissionId  timeStamp  SECONDS  REASON
STATUS is the receiptStatus of the receipt: COMPLETED, or NOT_ALLOWED or INVALID with the reason (code and sentence).
FAILED means no receipt, or one that asks to retry; the reason is a sentence. Unknown fields are hyphens.
Exits with 0 when all are COMPLETED, else 1. Progress of large files goes to standard error.

With --document, hands over any file as a document of another system, as Fordelingskomponenten (SF2900) would: it calls Indbakke, which
then fetches the file by SFTP from the folder where it was put. Only for the Indbakke that npm start runs here.
  --case UUID  the case that the sending system suggests`;

const RETRY_LATER = 503; // over SOAP only the receipt's code says this: a fault is HTTP 500 (SOAP 1.1, 6.2)

const MB = 1_000_000;
const LARGE = 5 * MB;

const ENVELOPE_START =
  '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><PostModtagRequest xmlns="urn:indbakke:sf1606:1">';
const ENVELOPE_END = '</PostModtagRequest></soap:Body></soap:Envelope>';

interface MemoFile {
  /** As given on the command line. */
  readonly name: string;
  readonly path: string;
  readonly size: number;
}

interface Body {
  readonly length: number;
  readonly pieces: AsyncIterable<Buffer>;
}

/** What differs between REST and SOAP. */
interface Endpoint {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly wrap: (file: MemoFile) => Promise<Body>;
  /** The fields of the receipt in an answer. @throws when the answer has another format */
  readonly read: (answer: string) => Partial<Receipt> | undefined;
}

type Receipt = { readonly receiptStatus: string } & Readonly<Record<string, string | undefined>>;

interface Delivery {
  /** receiptStatus of the receipt, or FAILED. */
  readonly status: string;
  readonly receipt: Receipt | undefined;
  /** A sentence; empty for COMPLETED. */
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
  rejectOptionsTakenByNpm('send', ['soap', 'url', 'document', 'case']);
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      soap: { type: 'boolean', default: false },
      url: { type: 'string' },
      document: { type: 'string' },
      case: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return USAGE;
  const { document, case: caseId } = values;
  if (document !== undefined) {
    if (positionals.length > 0 || values.soap || values.url !== undefined)
      throw new BadArgument('--document takes only --case beside it.');
    return sendDocument(await findFile(document), caseId);
  }
  if (caseId !== undefined) throw new BadArgument('--case goes with --document; a MeMo names its own case.');
  if (positionals.length === 0) throw new Error(`Name the files to send.\n\n${USAGE}`);
  const files = await Promise.all(positionals.map(findFile));
  const endpoint = values.soap ? SOAP : REST;
  const url = runningUrl(values.url, USAGE) + endpoint.path;
  for (const file of files) {
    const began = performance.now();
    const delivery = await deliver(file, url, endpoint);
    process.stdout.write(`${lineOf(file, delivery, (performance.now() - began) / 1_000)}\n`);
    if (delivery.status !== 'COMPLETED') process.exitCode = 1;
  }
  return '';
});

async function findFile(name: string): Promise<MemoFile> {
  // npm runs scripts in the clone; INIT_CWD is the folder it was called from.
  const path = resolve(process.env.INIT_CWD ?? '.', name);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw new Error(`${name} is a folder; name the files in it. Nothing was sent.\n\n${USAGE}`);
  if (!found?.isFile()) throw new Error(`There is no file ${name}. Nothing was sent.\n\n${USAGE}`);
  return { name, path, size: found.size };
}

async function deliver(file: MemoFile, url: string, endpoint: Endpoint): Promise<Delivery> {
  try {
    const { status, answer } = await post(url, endpoint.headers, withProgress(file, await endpoint.wrap(file)));
    const receipt = receiptIn(answer, endpoint);
    if (!receipt) return failed(`${url} answered HTTP ${status} without a receipt. Is the address right?`);
    const { receiptStatus, errorCode, errorMessage } = receipt;
    if (receiptStatus === 'COMPLETED') return { status: receiptStatus, receipt, reason: '' };
    const mustRetry = status === RETRY_LATER || ERRORS[errorCode as ErrorCode]?.http === RETRY_LATER;
    return { status: mustRetry ? 'FAILED' : receiptStatus, receipt, reason: `${errorCode}: ${errorMessage}` };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return failed(`The message could not be sent to ${url}: ${code ?? message}.`);
  }
}

function failed(reason: string): Delivery {
  return { status: 'FAILED', receipt: undefined, reason };
}

function lineOf({ name }: MemoFile, { status, receipt, reason }: Delivery, seconds: number): string {
  const ids = [receipt?.messageUUID, receipt?.transmissionId, receipt?.timeStamp].map((id) => id || '-');
  const fields = [name, status, ...ids, seconds.toFixed(2), reason || '-'];
  return fields.map((field) => field.replace(/[\s\p{Cc}]+/gu, ' ')).join('\t');
}

// ── HTTP ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Not with fetch, which gives up on an answer after 5 minutes and cannot set Content-Length for a stream. */
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
  // When sending fails, so does the answer, unless it came first: then the message was refused half-way.
  const sent = pipeline(pieces, request).catch(() => {});
  const response = await answered;
  const answer = await text(response);
  if (!request.writableFinished) request.destroy();
  await sent;
  return { status: response.statusCode ?? 0, answer };
}

function withProgress({ name }: MemoFile, { length, pieces }: Body): Body {
  return { length, pieces: length > LARGE ? reportQuarters(name, length, pieces) : pieces };
}

async function* reportQuarters(name: string, length: number, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let sent = 0;
  let reported = 0;
  for await (const piece of pieces) {
    yield piece;
    sent += piece.length;
    const quarters = Math.floor((4 * sent) / length);
    if (quarters > reported)
      process.stderr.write(`${name}: ${quarters * 25} % of ${(length / MB).toFixed(1)} MB sent\n`);
    reported = quarters;
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

/** The file in an envelope, as a stream. */
async function inEnvelope({ path, size }: MemoFile): Promise<Body> {
  const { declaration, length: skipped } = await readProlog(path);
  // An XML declaration is allowed only at the very beginning, so it moves there; a byte order mark is dropped.
  const start = Buffer.from(declaration + ENVELOPE_START);
  const end = Buffer.from(ENVELOPE_END);
  async function* pieces(): AsyncGenerator<Buffer> {
    yield start;
    yield* createReadStream(path, { start: skipped });
    yield end;
  }
  return { length: start.length + size - skipped + end.length, pieces: pieces() };
}

/** What an envelope cannot contain: byte order mark, white space and XML declaration; `length` is in bytes. */
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

/** The receipt in an answer or in the detail of a fault. */
function findReceipt(node: unknown): Partial<Receipt> | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  if ('receiptStatus' in node) return node as Receipt;
  return Object.values(node).map(findReceipt).find(Boolean);
}
