import http from 'node:http';
import https, { type RequestOptions } from 'node:https';
import { MiB } from '@indbakke/shared/config';
import type { FailureCode } from './outcome.js';

/** An answer of HTTP that was read to its end. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

export interface Posting {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** For connecting, sending and the whole answer. */
  readonly limitMs: number;
  /** Of TLS: our key and certificate, and whose certificates are taken. */
  readonly tls: Pick<RequestOptions, 'key' | 'cert' | 'ca'>;
}

type PostFailure = Extract<
  FailureCode,
  'cannot-connect' | 'tls' | 'timeout' | 'connection-broken' | 'answer-too-large'
>;

const MAX_ANSWER_BYTES = MiB;

/**
 * Posts on a connection of its own, past any proxy of the environment, without following redirects.
 *
 * @returns why there is no whole answer, or the answer
 */
export function post({ url, headers, body, limitMs, tls }: Posting): Promise<HttpAnswer | PostFailure> {
  return new Promise((resolve) => {
    const end = (result: HttpAnswer | PostFailure) => {
      clearTimeout(timer);
      request.destroy();
      resolve(result);
    };
    const { request: open } = url.startsWith('https:') ? https : http;
    const request = open(url, {
      ...tls,
      method: 'POST',
      agent: false,
      minVersion: 'TLSv1.2',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    });
    const timer = setTimeout(end, limitMs, 'timeout');
    request.on('error', (error) => end(failureOf(error)));
    request.on('close', () => end('connection-broken')); // without an error when the answer is a change of protocol
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > MAX_ANSWER_BYTES) end('answer-too-large');
      });
      response.on('error', () => end('connection-broken'));
      response.on('end', () => {
        const contentType = response.headers['content-type'];
        end({ status: response.statusCode as number, contentType, body: Buffer.concat(chunks) });
      });
    });
    request.end(body);
  });
}

const NO_CONNECTION = /^(?:ECONNREFUSED|ENOTFOUND|EAI_|EHOST|ENET|EADDRNOTAVAIL|ETIMEDOUT)/;
const TLS_FAULT = /^(?:ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|UNABLE_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|EPROTO)/;

function failureOf({ code = '' }: NodeJS.ErrnoException): PostFailure {
  if (NO_CONNECTION.test(code)) return 'cannot-connect';
  return TLS_FAULT.test(code) ? 'tls' : 'connection-broken';
}
