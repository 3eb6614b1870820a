import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { Parser } from 'xml2js';
import { Problem } from '../../src/errors/index.js';
import { findMessage, MEMO, MEMO_NAMESPACE, type Memo, type MemoFile, readMemo } from '../../src/memo/index.js';
import { type FileSink, readXml, type XmlDocument, type XmlElement, type XmlLimits } from '../../src/xml/index.js';

export const LIMITS: XmlLimits = {
  maxBytes: 200_000_000,
  maxSkeletonBytes: 1024 * 1024,
  maxFiles: 100,
  maxDepth: 40,
};

/** A document with all files in memory. */
export interface Whole extends XmlDocument {
  readonly contents: Buffer[];
  /** The skeleton with each token written as «n», so that two calls can be compared. */
  readonly comparable: string;
}

export async function* chunked(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Buffer> {
  const whole = Buffer.from(bytes);
  let at = 0;
  for (let index = 0; at < whole.length; index += 1) {
    const size = sizes[index % sizes.length] as number;
    // A copy that is wiped afterwards: the reader must not use a chunk again.
    const chunk = Buffer.from(whole.subarray(at, at + size));
    yield chunk;
    chunk.fill(0x21);
    at += size;
  }
}

export function bytesOf(xml: string | Uint8Array): Uint8Array {
  return typeof xml === 'string' ? Buffer.from(xml) : xml;
}

/** Reads the XML of a message that is in memory. */
export async function readWhole(
  xml: string | Uint8Array,
  sizes: readonly number[] = [Number.MAX_SAFE_INTEGER],
  limits: Partial<XmlLimits> = {},
  makeSink: (keep: (bytes: Buffer) => void) => FileSink = (keep) => sinkOf((bytes) => void keep(bytes) as undefined),
  charset?: string,
): Promise<Whole> {
  const pieces: Buffer[][] = [];
  const openFile = (index: number) => {
    expect(index).toBe(pieces.length);
    const kept: Buffer[] = [];
    pieces.push(kept);
    return makeSink((bytes) => kept.push(Buffer.from(bytes)));
  };
  const result = await readXml(MEMO, chunked(bytesOf(xml), sizes), openFile, { ...LIMITS, ...limits }, () => charset);
  const contents = pieces.map((kept) => Buffer.concat(kept));
  expect(result.files).toBe(contents.length);
  const comparable = contents.reduce(
    (text, _, index) => text.replace(result.token(index), `«${index}»`),
    result.skeleton.toString(),
  );
  return { ...result, contents, comparable };
}

/** A sink that lends two buffers in turn. */
export function sinkOf(write: FileSink['write'], end: FileSink['end'] = () => undefined, size = 65_536): FileSink {
  const buffers = [Buffer.alloc(size + 64), Buffer.alloc(size + 64)] as const;
  let turn = 0;
  return {
    lend: (extra) => buffers[turn % 2 === 0 ? 0 : 1].subarray(0, size + extra),
    write(bytes) {
      turn += 1;
      return write(bytes);
    },
    end,
  };
}

/** Reads the XML of a message, then its MeMo. @param detectedFormat what the first bytes of each file show, if anybody looked */
export async function readAll(xml: string | Uint8Array, limits: Partial<XmlLimits> = {}, detectedFormat?: null) {
  const whole = await readWhole(xml, undefined, limits);
  const facts = factsOf(whole.contents).map((each) => ({
    ...each,
    ...(detectedFormat !== undefined && { detectedFormat }),
  }));
  return readMemo(findMessage(whole.root) ?? whole.root, facts, whole.token);
}

/** Every file of a message, in the order of its documents. */
export function filesOf({ body }: Memo): MemoFile[] {
  const { mainDocument, additionalDocuments = [], technicalDocuments = [] } = body ?? {};
  const documents = [...(mainDocument ? [mainDocument] : []), ...additionalDocuments, ...technicalDocuments];
  return documents.flatMap(({ files }) => files);
}

export function factsOf(contents: readonly Uint8Array[]) {
  return contents.map((bytes) => ({
    sha256: createHash('sha256').update(bytes).digest('hex'),
    size: bytes.length,
  }));
}

/** The problem that an attempt fails with. */
export async function problemOf(attempt: Promise<unknown>): Promise<Problem> {
  const outcome = await attempt.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(Problem);
  return outcome as Problem;
}

/** An element in a comparable form: content of files without white space. */
export interface Plain {
  name: string;
  attributes: string[];
  text: string;
  children: Plain[];
}

interface Raw {
  $ns: { uri: string; local: string };
  $?: Record<string, { prefix: string; name: string; value: string }>;
  _?: string;
  $$?: Raw[];
}

/** The whole message, contents included, as xml2js reads it. */
export function referenceTree(xml: string): Plain {
  const parser = new Parser({
    xmlns: true,
    strict: true,
    explicitRoot: false,
    explicitCharkey: true,
    explicitChildren: true,
    preserveChildrenOrder: true,
  });
  let root: Raw | undefined;
  parser.parseString(xml, (error, result: Raw) => {
    if (error) throw error;
    root = result;
  });
  return plain(root as Raw, '');
}

function plain(raw: Raw, parent: string): Plain {
  const name = `{${raw.$ns.uri}}${raw.$ns.local}`;
  const isContent = name === `{${MEMO_NAMESPACE}}content` && parent === `{${MEMO_NAMESPACE}}File`;
  const text = (raw._ ?? '').replace(/\r\n?/g, '\n');
  return {
    name,
    attributes: Object.values(raw.$ ?? {})
      .filter(({ prefix }) => prefix !== 'xmlns')
      .map((attribute) => `${attribute.name}=${attribute.value}`)
      .sort(),
    text: isContent ? text.replace(/\s/g, '') : blankIsEmpty(text),
    children: (raw.$$ ?? []).map((child) => plain(child, name)),
  };
}

/** xml2js may or may not keep text that is only white space. */
function blankIsEmpty(text: string): string {
  return text.trim() === '' ? '' : text;
}

/** The same tree from our own reader and the files. */
export function treeOf(whole: Whole): Plain {
  const contents = new Map(whole.contents.map((bytes, index) => [whole.token(index), bytes.toString('base64')]));
  const walk = (element: XmlElement): Plain => ({
    name: `{${element.uri}}${element.local}`,
    attributes: element.attributes.map(({ local, value }) => `${local}=${value}`).sort(),
    text: contents.get(element.text) ?? blankIsEmpty(element.text),
    children: element.children.map(walk),
  });
  return walk(whole.root);
}
