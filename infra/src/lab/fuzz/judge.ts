import { isDeepStrictEqual } from 'node:util';
import { Problem } from '@indbakke/shared/errors';
import { findMessage, MEMO, MEMO_NAMESPACE, readMemo } from '@indbakke/shared/memo';
import { type FileSink, readXml, type XmlElement, type XmlLimits } from '@indbakke/shared/xml';
import { faultsByLibxml2 } from './libxml2-opinion.js';
import {
  type Element,
  hashOf,
  NoOpinion,
  Refused,
  readByXml2js,
  showAttribute,
  showUri,
  trim,
} from './xml2js-opinion.js';

/** The result of reading a message, and what is wrong with it. */
export interface Verdict {
  /** The code of the refusal; undefined when the message can be read. */
  readonly code: string | undefined;
  /** Contains nothing of the message, so that cases of one kind share it. */
  readonly failure: string | undefined;
  /** SHA-256 of each file, in order. */
  readonly files: readonly string[];
}

// The receiver's defaults (ReceiverConfig).
const LIMITS: XmlLimits = { maxBytes: 110 * 2 ** 20, maxSkeletonBytes: 2 ** 20, maxFiles: 2_000, maxDepth: 64 };
const HANG_MS = 2_000;

/** Reads a message as the receiver does, in chunks of these sizes, and compares the result with xml2js. */
export async function judge(message: Buffer, chunkSize: () => number): Promise<Verdict> {
  const started = performance.now();
  const { code, failure, element, files } = await readAsReceiver(message, chunkSize);
  const took = performance.now() - started;
  const found = failure ?? (took > HANG_MS ? 'takes over 2 s' : element && differs(message, element));
  return { code, failure: found, files };
}

interface Reading {
  readonly code?: string;
  readonly failure?: string;
  readonly element?: Element;
  readonly files: readonly string[];
}

async function readAsReceiver(message: Buffer, chunkSize: () => number): Promise<Reading> {
  const contents: Buffer[][] = [];
  try {
    const result = await readXml(MEMO, chunksOf(message, chunkSize), (index) => openFile(contents, index), LIMITS);
    const { root } = result;
    const files = contents.map((pieces) => Buffer.concat(pieces));
    const hashes = files.map(hashOf);
    const facts = files.map((bytes, index) => ({ size: bytes.length, sha256: hashes[index] as string }));
    readMemo(findMessage(root) ?? root, facts, result.token);
    const hashByToken = new Map(hashes.map((hash, index) => [result.token(index), hash]));
    return { element: toElement(root, undefined, hashByToken), files: hashes };
  } catch (error) {
    if (error instanceof Problem && error.row.receipt !== undefined && error.row.fault === 'peer') {
      return { code: error.code, files: [] };
    }
    const { name, message: text } = error as Error;
    return { failure: `crashes: ${name}: ${text}`, files: [] };
  }
}

// Small, so that most files need more than one buffer.
const LENT_BYTES = 1_000;

async function* chunksOf(message: Buffer, chunkSize: () => number): AsyncGenerator<Buffer> {
  for (let at = 0; at < message.length; ) {
    const end = Math.min(message.length, at + chunkSize());
    yield message.subarray(at, end);
    at = end;
  }
}

function openFile(contents: Buffer[][], index: number): FileSink {
  const pieces: Buffer[] = [];
  contents[index] = pieces;
  const lent = Buffer.alloc(LENT_BYTES);
  return {
    lend: () => lent,
    write: (bytes): undefined => void pieces.push(Buffer.from(bytes)),
    end: () => undefined,
  };
}

function toElement(
  { uri, local, attributes, text, children }: XmlElement,
  parent: XmlElement | undefined,
  hashByToken: ReadonlyMap<string, string>,
): Element {
  const isContent = local === 'content' && uri === MEMO_NAMESPACE && parent?.local === 'File' && parent.uri === uri;
  return {
    uri: showUri(uri),
    local,
    attributes: attributes.map((of) => showAttribute(of.uri, of.local, of.value)).sort(),
    text: isContent ? (hashByToken.get(text) ?? 'no file') : trim(text),
    children: children.map((child) => toElement(child, { uri, local, attributes, text, children }, hashByToken)),
  };
}

function differs(message: Buffer, ours: Element): string | undefined {
  try {
    return differenceOf(ours, readByXml2js(message));
  } catch (error) {
    if (error instanceof NoOpinion) return undefined;
    if (error instanceof Refused) return `accepted, but xml2js refuses it: ${kindOf(error.message)}`;
    throw error;
  }
}

// libxml2 rejects a namespace that is not a URI and a name such as `a:1`. saxes trims the former and does not check the latter.
const UNSURE = /^xmlns(?::\S*)?: (?:'|URI )|^Failed to parse QName/;

/**
 * Compares verdicts on well-formedness with libxml2. Other codes are not compared.
 *
 * @returns for each message what is wrong, or undefined
 */
export async function wrongVerdicts(
  judged: readonly { readonly message: Buffer; readonly verdict: Verdict }[],
): Promise<(string | undefined)[]> {
  const faults = await faultsByLibxml2(judged.map(({ message }) => message));
  return judged.map(({ verdict: { code } }, index) => {
    const fault = faults[index]?.find((one) => !UNSURE.test(one));
    if (code === undefined && fault !== undefined) return `accepted, but libxml2 refuses it: ${kindOf(fault)}`;
    return code === 'not-xml' && faults[index]?.length === 0 ? 'refused as not-xml, but libxml2 accepts it' : undefined;
  });
}

/** The fault without anything of the message. */
function kindOf(fault: string): string {
  return fault.replace(/: .*/s, '').replace(/[^\x20-\x7e]/g, '?');
}

function differenceOf(ours: Element, theirs: Element): string | undefined {
  if (ours.uri !== theirs.uri || ours.local !== theirs.local) return 'another element';
  if (!isDeepStrictEqual(ours.attributes, theirs.attributes)) return 'other attributes';
  if (ours.text !== theirs.text) return 'another text or content';
  if (ours.children.length !== theirs.children.length) return 'other children';
  for (const [at, child] of ours.children.entries()) {
    const difference = differenceOf(child, theirs.children[at] as Element);
    if (difference) return difference;
  }
  return undefined;
}
