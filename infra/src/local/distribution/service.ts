import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https, { type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { Builder, parseStringPromise, processors } from 'xml2js';

const DISTRIBUTION = 'http://serviceplatformen.dk/xml/wsdl/soap11/DistributionService';
const NAMESPACES = {
  'xmlns:S': 'http://schemas.xmlsoap.org/soap/envelope/',
  'xmlns:ns3': `${DISTRIBUTION}/3/types`,
  'xmlns:ns2': `${DISTRIBUTION}/2/types`,
};

/** A call as it came. */
export interface DistributionCall {
  readonly operation: string;
  readonly soapAction: string | undefined;
  readonly contentType: string | undefined;
  readonly envelope: string;
  /** Below the request, by names without prefixes. */
  readonly request: Readonly<Record<string, unknown>>;
  /** DER of the caller’s certificate. */
  readonly certificate: Buffer | undefined;
}

export interface ServedDistribution {
  readonly url: string;
  close(): Promise<void>;
}

export interface DistributionOptions {
  /** With TLS, its clients must show a certificate of `ca`. */
  readonly tls?: Pick<ServerOptions, 'key' | 'cert' | 'ca'> | undefined;
  /** Answers a call. */
  readonly respond: (call: DistributionCall, res: ServerResponse, req: IncomingMessage) => void | Promise<void>;
}

/** Serviceplatformen’s Distribution/3 on loopback, as a stand-in: the operations that recipients and senders call. */
export async function serveDistribution({ tls, respond }: DistributionOptions): Promise<ServedDistribution> {
  const listener = (req: IncomingMessage, res: ServerResponse) => {
    readCall(req)
      .then((call) => respond(call, res, req))
      .catch(() => res.destroy());
  };
  const server = tls
    ? https.createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, listener)
    : http.createServer(listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/service/SP/Distribution/3`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readCall(req: IncomingMessage): Promise<DistributionCall> {
  const envelope = await text(req);
  const { Envelope } = await parseStringPromise(envelope, {
    tagNameProcessors: [processors.stripPrefix],
    explicitArray: false,
    ignoreAttrs: true,
  });
  const [name = '', request] = Object.entries<Record<string, unknown>>(Envelope.Body)[0] ?? [];
  return {
    operation: name.replace(/Request$/, ''),
    soapAction: req.headers.soapaction as string | undefined,
    contentType: req.headers['content-type'],
    envelope,
    request: request ?? {},
    certificate: (req.socket as Partial<TLSSocket>).getPeerCertificate?.().raw,
  };
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Why an object is AFVIST, and what a fault says. */
export interface Refusal {
  readonly code: string;
  readonly text: string;
}

/** @param refusal of the object, in its technical receipt */
export function answerTo(call: DistributionCall, refusal?: Refusal): Answer {
  const { operation, soapAction } = call;
  if (soapAction !== `"${DISTRIBUTION}/3/port/${operation}"`)
    return faultOf('Client', { code: 'SOAPACTION', text: 'The SOAPAction is not the one of the operation.' });
  const content = operation === 'FordelingsobjektAfsend' ? objectResponse(call, refusal) : '';
  return { status: 200, body: inBody({ [`ns3:${operation}Response`]: content }) };
}

/** The technical receipt, and the context with an id of ours in its place. */
function objectResponse({ request }: DistributionCall, refusal: Refusal | undefined) {
  const { DistributionContext } = request.anmodning as { readonly DistributionContext: object };
  const { AnvenderTransaktionsID, ...rest } = DistributionContext as Record<string, unknown>;
  return {
    'ns3:ForretningsKvittering': ofTypes2({
      ForretningsValideringsKode: refusal ? 'AFVIST' : 'MODTAGET',
      Kvitteringstype: 'Teknisk',
      ...(refusal && { Begrundelse: refusal.text, ...faultList(refusal) }),
    }),
    'ns3:DistributionContext': ofTypes2({
      AnvenderTransaktionsID,
      DistributionTransktionsID: randomUUID(),
      ...rest,
    }),
  };
}

/** A fault with a TransportKvittering. */
export function faultOf(faultcode: 'Client' | 'Server', refusal: Refusal): Answer {
  const receipt = { TransportValideringsKode: 'FEJL', Begrundelse: refusal.text, ...faultList(refusal) };
  const detail = { 'ns3:TransportKvittering': prefixed('ns3', receipt) };
  return {
    status: 500,
    body: inBody({ 'S:Fault': { faultcode: `S:${faultcode}`, faultstring: refusal.text, detail } }),
  };
}

const faultList = ({ code, text }: Refusal) => ({ FejlListe: { Fejl: { FejlKode: code, FejlTekst: text } } });

const xml = new Builder({ rootName: 'S:Envelope', renderOpts: { pretty: false } });

/** An envelope. */
export const inBody = (body: object): string => xml.buildObject({ $: NAMESPACES, 'S:Body': body });

const ofTypes2 = (fields: object): object => prefixed('ns2', fields);

function prefixed(prefix: string, fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, content]) => [
      `${prefix}:${name}`,
      typeof content === 'object' ? prefixed(prefix, content) : content,
    ]),
  );
}

export const XML = 'text/xml; charset=utf-8';

export function send(res: ServerResponse, { status, body }: Answer, type = XML): void {
  res.writeHead(status, { 'content-type': type }).end(body);
}
