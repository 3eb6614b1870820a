import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyInstance, type Dicer } from '@fastify/busboy';
import { Problem } from '@indbakke/shared/errors';
import { charsetOf, mediaTypeOf } from '@indbakke/shared/http';
import { mayBeXml } from './content-type.js';

// Digital Post’s own push names the part `file`, and the file after the messageUUID (NGREF); assumed for SF1606.
const PART = 'file';

const LIMITS = {
  files: 1,
  fields: 20,
  parts: 21,
  fieldNameSize: 100,
  fieldSize: 1_024,
  headerPairs: 20,
  headerSize: 8_192,
};

export interface MessagePart {
  readonly body: AsyncIterable<Buffer>;
  /** Of the part; known once the body has begun. */
  readonly charset: () => string | undefined;
}

/**
 * Streams the message out of a multipart/form-data body. Other fields are ignored.
 *
 * The body fails with Problem not-multipart: no part `file`, two of them, too many parts, or a truncated body; or with
 * unsupported-media-type: what the part says to contain is not XML.
 */
export function messagePart(body: Readable, contentType: string): MessagePart {
  let ofPart: string | undefined;
  const takeType = (type: string | undefined) => {
    ofPart = type;
  };
  return { body: streamPart(body, contentType, takeType), charset: () => charsetOf(ofPart) };
}

/** The text between the parts, if the Content-Type names it. Most senders draw a new one for each delivery. */
export function boundaryOf(contentType: string): string | undefined {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType) ?? [];
  return quoted ?? plain;
}

async function* streamPart(
  body: Readable,
  contentType: string,
  takeType: (ofPart: string | undefined) => void,
): AsyncGenerator<Buffer> {
  const form = openForm(contentType);
  const found = findPart(form);
  const read = pipeline(body, form);
  try {
    const file = await Promise.race([found, read.then(() => undefined)]);
    if (!file) throw new Problem('not-multipart', `The form has no part named ${PART}. Put the message there.`);
    endWith(file.part, read);
    // Digital Post also knows a tar.lzma of many messages (application/x-lzma).
    if (!mayBeXml(mediaTypeOf(file.contentType))) {
      throw new Problem('unsupported-media-type', `The part ${PART} is not XML. Send one message as application/xml.`);
    }
    takeType(file.contentType);
    for await (const chunk of file.part) yield chunk as Buffer;
    await read;
  } catch (error) {
    throw asProblem(error);
  } finally {
    read.catch(() => {}); // thrown already, or no longer of interest
    body.destroy();
    form.destroy();
  }
}

interface FoundPart {
  readonly part: Readable;
  readonly contentType: string | undefined;
}

/** Resolves with the part of the message, once its headers have been read. */
function findPart(form: BusboyInstance): Promise<FoundPart> {
  let contentType: string | undefined;
  // Busboy tells the media type of a part, but not its charset.
  const { parser } = (form as unknown as { readonly _parser: { readonly parser: Dicer } })._parser;
  parser.prependListener('part', (part: Dicer.PartStream) => {
    part.prependListener('header', (headers: Readonly<Record<string, readonly string[]>>) => {
      contentType = headers['content-type']?.[0];
    });
  });
  return new Promise((resolve) => form.once('file', (_name, part) => resolve({ part, contentType })));
}

/** Busboy leaves a part open when the form fails; without this its reader would wait for ever. */
function endWith(part: Readable, read: Promise<void>): void {
  part.on('error', () => {}); // thrown to the reader
  read.catch((error: Error) => part.destroy(error));
}

function openForm(contentType: string): BusboyInstance {
  try {
    const form = new Busboy({
      headers: { 'content-type': contentType },
      isPartAFile: (name) => name === PART,
      limits: LIMITS,
    });
    const refuse = () =>
      form.destroy(
        new Problem('not-multipart', `The form has more than one part named ${PART}, or over ${LIMITS.fields} fields.`),
      );
    return form.once('filesLimit', refuse).once('fieldsLimit', refuse).once('partsLimit', refuse);
  } catch {
    throw new Problem('not-multipart', 'The Content-Type names no boundary between the parts.');
  }
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem('not-multipart', 'The form is broken: a part does not end, or its headers are malformed.', {
    cause: error,
  });
}
