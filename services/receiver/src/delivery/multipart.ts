import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { Problem } from '@indbakke/shared/errors';

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

/**
 * Streams the message out of a multipart/form-data body. Other fields are ignored.
 *
 * @throws Problem not-multipart: no part `file`, two of them, too many parts, or a truncated body
 */
export async function* messagePart(body: Readable, contentType: string): AsyncGenerator<Buffer> {
  const form = openForm(contentType);
  const found = new Promise<Readable>((resolve) => form.once('file', (_name, part) => resolve(part)));
  const read = pipeline(body, form);
  try {
    const part = await Promise.race([found, read.then(() => undefined)]);
    if (!part) throw new Problem('not-multipart', `The form has no part named ${PART}. Put the message there.`);
    endWith(part, read);
    for await (const chunk of part) yield chunk as Buffer;
    await read;
  } catch (error) {
    throw asProblem(error);
  } finally {
    read.catch(() => {}); // thrown already, or no longer of interest
    body.destroy();
    form.destroy();
  }
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
