import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https, { type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { Builder, parseStringPromise, processors } from 'xml2js';
import type { SchemaCheck } from './distribution-schema.js';

const DISTRIBUTION = 'http://serviceplatformen.dk/xml/wsdl/soap11/DistributionService';
const NAMESPACES = {
  'xmlns:S': 'http://schemas.xmlsoap.org/soap/envelope/',
  'xmlns:ns3': `${DISTRIBUTION}/3/types`,
  'xmlns:ns2': `${DISTRIBUTION}/2/types`,
};

/** What the service can be told to do wrong. */
export const MISBEHAVIOURS = {
  fault: 'a fault of the service, with a TransportKvittering',
  'client-fault': 'a fault of the call, with a TransportKvittering',
  refuse: 'AFVIST in the receipt of an object',
  'no-receipt': 'the answer as an empty element',
  unavailable: '503 with a page',
  redirect: '307 to itself',
  'not-xml': '200 with a page',
  huge: '200 with 10 MB',
  hang: 'takes the call and says nothing',
  cut: 'takes the call and cuts the connection',
  'cut-answer': 'cuts the connection in the middle of the answer',
} as const;
export type Misbehaviour = keyof typeof MISBEHAVIOURS;

/** A call as it came. */
export interface DistributionCall {
  readonly operation: string;
  readonly soapAction: string | undefined;
  readonly contentType: string | undefined;
  readonly envelope: string;
  /** Below the request, by names without prefixes. */
  readonly request: Readonly<Record<string, unknown>>;
  /** What the schemas have against it. */
  readonly fault: string | undefined;
  /** DER of the caller’s certificate. */
  readonly certificate: Buffer | undefined;
}

/** A stand-in for Serviceplatformen’s Distribution/3, on this machine. */
export interface DistributionService {
  readonly url: string;
  /** All calls, the oldest first. */
  readonly calls: readonly DistributionCall[];
  /** Lets the next calls fail so, as many as said. */
  misbehave(how: Misbehaviour, calls?: number): void;
  /** Resolves when that many calls have come. */
  whenCalled(count: number): Promise<void>;
  close(): Promise<void>;
}

export interface DistributionServiceOptions {
  /** With TLS, its clients must show a certificate of `ca`. */
  readonly tls?: Pick<ServerOptions, 'key' | 'cert' | 'ca'>;
  /** Each call is held against these; none = calls are taken as they are. */
  readonly checks?: readonly SchemaCheck[];
}

export async function startDistributionService({
  tls,
  checks = [],
}: DistributionServiceOptions = {}): Promise<DistributionService> {
  const calls: DistributionCall[] = [];
  const called = new EventEmitter();
  let wrong: { readonly how: Misbehaviour; left: number } | undefined;

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const call = await readCall(req, checks);
    calls.push(call);
    const how = wrong && wrong.left-- > 0 ? wrong.how : undefined;
    called.emit('call');
    if (how) misbehave(how, call, req, res);
    else send(res, ...answerTo(call));
  }

  const listener = (req: IncomingMessage, res: ServerResponse) => {
    answer(req, res).catch(() => res.destroy());
  };
  const server = tls
    ? https.createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, listener)
    : http.createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/service/SP/Distribution/3`,
    calls,
    misbehave(how, count = 1) {
      wrong = { how, left: count };
    },
    async whenCalled(count) {
      while (calls.length < count) await once(called, 'call');
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readCall(req: IncomingMessage, checks: readonly SchemaCheck[]): Promise<DistributionCall> {
  const envelope = await text(req);
  const [fault] = (await Promise.all(checks.map((check) => check.faultsOf([envelope])))).flat().filter(Boolean);
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
    fault,
    certificate: (req.socket as Partial<TLSSocket>).getPeerCertificate?.().raw,
  };
}

type Answer = readonly [status: number, body: string];

function answerTo(call: DistributionCall, code = 'MODTAGET'): Answer {
  const { operation, soapAction, fault } = call;
  if (fault !== undefined) return faultOf('Client', 'SCHEMA');
  if (soapAction !== `"${DISTRIBUTION}/3/port/${operation}"`) return faultOf('Client', 'SOAPACTION');
  if (operation === 'FordelingskvitteringModtag') return [200, inBody({ [`ns3:${operation}Response`]: '' })];
  return [200, inBody({ [`ns3:${operation}Response`]: objectResponse(call, code) })];
}

/** The technical receipt, and the context with an id of ours in its place. */
function objectResponse({ request }: DistributionCall, code: string) {
  const { DistributionContext } = request.anmodning as { readonly DistributionContext: object };
  const { AnvenderTransaktionsID, ...rest } = DistributionContext as Record<string, unknown>;
  return {
    'ns3:ForretningsKvittering': ofTypes2({
      ForretningsValideringsKode: code,
      Kvitteringstype: 'Teknisk',
      ...(code === 'AFVIST' && { Begrundelse: SECRET_TEXT, ...faultList('RUT-404') }),
    }),
    'ns3:DistributionContext': ofTypes2({
      AnvenderTransaktionsID,
      DistributionTransktionsID: randomUUID(),
      ...rest,
    }),
  };
}

/** What a peer may write of a person; it must not get into logs or records. */
export const SECRET_TEXT = 'Kvittering vedr. 410101-9999';
const [XML, HTML] = ['text/xml; charset=utf-8', 'text/html; charset=utf-8'];
const PAGE = '<!doctype html><title>Fejl</title><p>Prøv igen.</p>';

function misbehave(how: Misbehaviour, call: DistributionCall, req: IncomingMessage, res: ServerResponse): void {
  switch (how) {
    case 'hang':
      break;
    case 'cut':
      res.destroy();
      break;
    case 'cut-answer':
      cutAnswer(res, ...answerTo(call));
      break;
    case 'redirect':
      res.writeHead(307, { location: req.url }).end();
      break;
    case 'huge':
      send(res, 200, inBody({}).padEnd(10_000_000));
      break;
    case 'unavailable':
      send(res, 503, PAGE, HTML);
      break;
    case 'not-xml':
      send(res, 200, PAGE, HTML);
      break;
    case 'fault':
      send(res, ...faultOf('Server', 'SP-500'));
      break;
    case 'client-fault':
      send(res, ...faultOf('Client', 'SP-403'));
      break;
    case 'no-receipt':
      send(res, 200, inBody({ [`ns3:${call.operation}Response`]: '' }));
      break;
    case 'refuse':
      send(res, ...answerTo(call, 'AFVIST'));
      break;
  }
}

function cutAnswer(res: ServerResponse, status: number, body: string): void {
  res.writeHead(status, { 'content-type': XML, 'content-length': Buffer.byteLength(body) });
  res.write(body.slice(0, 100), () => res.destroy());
}

function send(res: ServerResponse, status: number, body: string, type = XML): void {
  res.writeHead(status, { 'content-type': type }).end(body);
}

function faultOf(faultcode: 'Client' | 'Server', code: string): Answer {
  const receipt = { TransportValideringsKode: 'FEJL', Begrundelse: SECRET_TEXT, ...faultList(code) };
  const detail = { 'ns3:TransportKvittering': prefixed('ns3', receipt) };
  return [500, inBody({ 'S:Fault': { faultcode: `S:${faultcode}`, faultstring: SECRET_TEXT, detail } })];
}

const faultList = (code: string) => ({ FejlListe: { Fejl: { FejlKode: code, FejlTekst: SECRET_TEXT } } });

const xml = new Builder({ rootName: 'S:Envelope', renderOpts: { pretty: false } });
const inBody = (body: object): string => xml.buildObject({ $: NAMESPACES, 'S:Body': body });

const ofTypes2 = (fields: object): object => prefixed('ns2', fields);

function prefixed(prefix: string, fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, content]) => [
      `${prefix}:${name}`,
      typeof content === 'object' ? prefixed(prefix, content) : content,
    ]),
  );
}
