import { randomUUID } from 'node:crypto';
import { type ErrorCode, Problem } from '@indbakke/shared/errors';
import type { XmlDocument } from '@indbakke/shared/xml';
import { createServerless, type Server } from 'soap';

/** The operations of an endpoint, by names as in its WSDL. */
export interface SoapService {
  readonly path: string;
  readonly wsdl: string;
  readonly service: string;
  readonly port: string;
  readonly operations: Readonly<Record<string, SoapOperation>>;
  /** The code of an envelope that the package rejects. */
  readonly refusal: ErrorCode;
}

/** How a token takes the place of a message. */
export interface SoapOperation {
  /** The XML that stands in the envelope instead. */
  withToken(token: string): string;
  /** The token in what the package makes of that. */
  tokenIn(request: unknown): unknown;
}

/** What is answered, in the order of the WSDL. */
export type Fields = { readonly [name: string]: string | Fields | readonly Fields[] };

/**
 * One call of an operation, in two halves around the storing of the message: an envelope that the `soap` package rejects is
 * refused before anything is stored, and afterwards only plain strings are left to be written.
 */
export interface SoapCall {
  /**
   * Lets the package read the envelope, up to where it calls the operation.
   * @throws Problem when it does not get that far
   */
  enter(document: XmlDocument, operation: string): Promise<void>;
  /** Completes the entered operation. @returns the envelope of the answer */
  answer(fields: Fields): Promise<string>;
}

/**
 * Operations run by the `soap` package, on an envelope in which a token replaces the message, never on the socket: soap 1.13
 * reads without a limit, and a body that falsely claims to be gzip ends the process.
 *
 * @returns a function that begins a call
 */
export function createCalls(given: SoapService): () => SoapCall {
  const waiting = new Map<unknown, () => Promise<Fields>>();
  const server = openServer(given, (token) => {
    const operation = waiting.get(token);
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
      async enter(document, name) {
        const soap = await server;
        const token = randomUUID();
        const envelope = envelopeAround((given.operations[name] as SoapOperation).withToken(token), document);
        const entered = new Promise<boolean>((resolve) => {
          waiting.set(token, () => {
            resolve(true);
            return result;
          });
          // The body names the operation; SOAPAction is only a hint (SOAP 1.1, §6.1.1).
          response = soap.processRequest(envelope, { url: given.path }).then(({ body }) => body);
          const leave = () => resolve(false);
          void response.then(leave, leave);
        });
        const isEntered = await entered;
        waiting.delete(token);
        if (!isEntered) throw new Problem(given.refusal, 'The SOAP envelope cannot be read.', { path: 'Envelope' });
      },
      answer(fields) {
        giveResult(fields);
        return response;
      },
    };
  };
}

function openServer(
  { path, wsdl, service, port, operations }: SoapService,
  run: (token: unknown) => Promise<Fields>,
): Promise<Server> {
  const methods = Object.entries(operations).map(([name, { tokenIn }]) => [
    name,
    (request: unknown) => run(tokenIn(request)),
  ]);
  const services = { [service]: { [port]: Object.fromEntries(methods) } };
  return new Promise((resolve, reject) => {
    const callback = (error: unknown, server: Server) => (error ? reject(error) : resolve(server));
    const options = { path, services, xml: wsdl, suppressStack: true, returnFault: true, callback };
    createServerless(options).catch(reject);
  });
}

function envelopeAround(xml: string, { skeleton, message }: XmlDocument): string {
  const { start, end } = message ?? { start: 0, end: 0 };
  return `${skeleton.toString('utf8', 0, start)}${xml}${skeleton.toString('utf8', end)}`;
}
