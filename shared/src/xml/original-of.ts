import type { XmlDocument } from './read-xml.js';
import { escapeAttribute } from './references.js';

/**
 * The message alone: the headers of an envelope may contain credentials. Byte for byte, but for the namespaces that the envelope
 * declares for it: without them it would be no XML.
 */
export function originalOf({ skeleton, message }: XmlDocument): Buffer {
  if (!message) return skeleton;
  const bytes = skeleton.subarray(message.start, message.end);
  const used = Object.entries(message.inherited).filter(([prefix]) => prefix === '' || bytes.includes(`${prefix}:`));
  const declarations = used.map(
    ([prefix, uri]) => ` ${prefix === '' ? 'xmlns' : `xmlns:${prefix}`}="${escapeAttribute(uri)}"`,
  );
  if (declarations.length === 0) return bytes;
  const nameEnd = 1 + Buffer.byteLength(message.name);
  return Buffer.concat([bytes.subarray(0, nameEnd), Buffer.from(declarations.join('')), bytes.subarray(nameEnd)]);
}
