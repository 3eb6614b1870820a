import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import type { Issued } from '../../../../infra/src/testkit/certificates.js';
import { REST_PATH } from '../../../../infra/src/testkit/deliver.js';
import { writeMemo } from '../../../../infra/src/testkit/write-memo.js';

export interface Answer {
  readonly status: number;
  /** Whether the connection, or its session, was that of a former call. */
  readonly isReused: boolean;
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

interface Options extends Pick<RequestOptions, 'agent' | 'minVersion' | 'maxVersion' | 'ciphers'> {
  /** What the caller shows. */
  readonly shown?: Pick<Issued, 'certificate' | 'key'> | undefined;
  /** PEM of the issuer whose servers the caller trusts. */
  readonly trusted: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Delivers a message of its own over REST, on a connection of its own unless there is an agent. */
export async function deliverOverTls(url: string, { shown, trusted, headers, ...options }: Options): Promise<Answer> {
  const call = request(`${url}${REST_PATH}`, {
    method: 'POST',
    agent: false,
    ca: trusted,
    ...(shown && { cert: shown.certificate, key: shown.key }),
    ...options,
    headers: { 'content-type': 'application/xml', accept: 'application/json', ...headers },
  });
  call.end(writeMemo({ messageUUID: randomUUID() }));
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  const isReused = call.reusedSocket || (answer.socket as TLSSocket).isSessionReused();
  const body = await text(answer);
  return { status: answer.statusCode as number, isReused, ...(body.startsWith('{') && JSON.parse(body)) };
}
