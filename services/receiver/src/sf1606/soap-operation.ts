import { randomUUID } from 'node:crypto';
import { Problem } from '@indbakke/shared/errors';
import type { XmlDocument } from '@indbakke/shared/xml';
import { createServerless, type Server } from 'soap';
import type { Receipt } from './receipt.js';
import { type Fields, fieldsOf } from './render-receipt.js';
import { wsdlAt } from './soap-wsdl.js';

/**
 * One call of PostModtag, in two halves around the storing of the message: an envelope that the `soap` package rejects is
 * refused before anything is stored, and afterwards only plain strings are left to be written.
 */
export interface PostModtagCall {
  /**
   * Lets the package read the envelope, up to where it calls the operation.
   * @throws Problem not-memo when it does not get that far
   */
  enter(document: XmlDocument): Promise<void>;
  /** Completes the entered operation. @returns the envelope of the answer */
  answer(receipt: Receipt): Promise<string>;
}

type Operation = () => Promise<Fields>;

/**
 * PostModtag run by the `soap` package, on an envelope in which a token replaces the message, never on the socket: soap 1.13
 * reads without a limit, and a body that falsely claims to be gzip ends the process.
 *
 * @param path of the operation
 * @returns a function that begins a call
 */
export function createPostModtag(path: string): () => PostModtagCall {
  const operations = new Map<string, Operation>();
  const server = openServer(path, (request) => {
    const operation = operations.get(textOf(request));
    // The package would wait for ever for a missing result.
    if (!operation) throw new Error('the request does not contain the token of a call');
    return operation();
  });

  return () => {
    let giveResult: (fields: Fields) => void;
    const result = new Promise<Fields>((resolve) => {
      giveResult = resolve;
    });
    let response: Promise<string>;

    return {
      async enter(document) {
        const soap = await server;
        const token = randomUUID();
        const entered = new Promise<boolean>((resolve) => {
          operations.set(token, () => {
            resolve(true);
            return result;
          });
          // The body names the operation; SOAPAction is only a hint (SOAP 1.1, §6.1.1).
          response = soap.processRequest(envelopeAround(token, document), { url: path }).then(({ body }) => body);
          const leave = () => resolve(false);
          void response.then(leave, leave);
        });
        const isEntered = await entered;
        operations.delete(token);
        if (!isEntered) throw new Problem('not-memo', 'The SOAP envelope cannot be read.', { path: 'Envelope' });
      },
      answer(receipt) {
        giveResult(fieldsOf(receipt));
        return response;
      },
    };
  };
}

function openServer(path: string, operation: (request: unknown) => Promise<Fields>): Promise<Server> {
  const services = { PostModtagService: { PostModtagPort: { PostModtag: operation } } };
  return new Promise((resolve, reject) => {
    const whenRead = (error: unknown, server: Server) => (error ? reject(error) : resolve(server));
    const xml = wsdlAt(`http://localhost${path}`);
    createServerless({ path, services, xml, suppressStack: true, returnFault: true, callback: whenRead }).catch(reject);
  });
}

function envelopeAround(token: string, { skeleton, message }: XmlDocument): string {
  const { start, end } = message ?? { start: 0, end: 0 };
  return `${skeleton.toString('utf8', 0, start)}${token}${skeleton.toString('utf8', end)}`;
}

/** The package passes text as a string, or as $value when the element has attributes. */
function textOf(request: unknown): string {
  const text = typeof request === 'object' && request !== null && '$value' in request ? request.$value : request;
  return String(text);
}
