import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Answer,
  answerTo,
  type DistributionOptions,
  faultOf,
  inBody,
  type DistributionCall as PlainCall,
  type Refusal,
  type ServedDistribution,
  send,
  serveDistribution,
  XML,
} from '../local/distribution/service.js';
import type { SchemaCheck } from './distribution-schema.js';

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

export interface DistributionCall extends PlainCall {
  /** What the schemas have against it. */
  readonly fault: string | undefined;
}

/** The stand-in for Serviceplatformen’s Distribution/3, which can be told to misbehave. */
export interface DistributionService extends ServedDistribution {
  /** All calls, the oldest first. */
  readonly calls: readonly DistributionCall[];
  /** Lets the next calls fail so, as many as said. */
  misbehave(how: Misbehaviour, calls?: number): void;
  /** Resolves when that many calls have come. */
  whenCalled(count: number): Promise<void>;
}

export interface DistributionServiceOptions extends Pick<DistributionOptions, 'tls'> {
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

  const service = await serveDistribution({
    tls,
    async respond(plain, res, req) {
      const faults = await Promise.all(checks.map((check) => check.faultsOf([plain.envelope])));
      const call = { ...plain, fault: faults.flat().find(Boolean) };
      calls.push(call);
      const how = wrong && wrong.left-- > 0 ? wrong.how : undefined;
      called.emit('call');
      if (how) misbehave(how, call, req, res);
      else send(res, checkedAnswerTo(call));
    },
  });

  return {
    ...service,
    calls,
    misbehave(how, count = 1) {
      wrong = { how, left: count };
    },
    async whenCalled(count) {
      while (calls.length < count) await once(called, 'call');
    },
  };
}

const checkedAnswerTo = (call: DistributionCall, refusal?: Refusal): Answer =>
  call.fault === undefined ? answerTo(call, refusal) : faultOf('Client', secretly('SCHEMA'));

/** What a peer may write of a person; it must not get into logs or records. */
export const SECRET_TEXT = 'Kvittering vedr. 410101-9999';
const secretly = (code: string): Refusal => ({ code, text: SECRET_TEXT });

const HTML = 'text/html; charset=utf-8';
const PAGE = '<!doctype html><title>Fejl</title><p>Prøv igen.</p>';

function misbehave(how: Misbehaviour, call: DistributionCall, req: IncomingMessage, res: ServerResponse): void {
  switch (how) {
    case 'hang':
      break;
    case 'cut':
      res.destroy();
      break;
    case 'cut-answer':
      cutAnswer(res, checkedAnswerTo(call));
      break;
    case 'redirect':
      res.writeHead(307, { location: req.url }).end();
      break;
    case 'huge':
      send(res, { status: 200, body: inBody({}).padEnd(10_000_000) });
      break;
    case 'unavailable':
      send(res, { status: 503, body: PAGE }, HTML);
      break;
    case 'not-xml':
      send(res, { status: 200, body: PAGE }, HTML);
      break;
    case 'fault':
      send(res, faultOf('Server', secretly('SP-500')));
      break;
    case 'client-fault':
      send(res, faultOf('Client', secretly('SP-403')));
      break;
    case 'no-receipt':
      send(res, { status: 200, body: inBody({ [`ns3:${call.operation}Response`]: '' }) });
      break;
    case 'refuse':
      send(res, checkedAnswerTo(call, secretly('RUT-404')));
      break;
  }
}

function cutAnswer(res: ServerResponse, { status, body }: Answer): void {
  res.writeHead(status, { 'content-type': XML, 'content-length': Buffer.byteLength(body) });
  res.write(body.slice(0, 100), () => res.destroy());
}
