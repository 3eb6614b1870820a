import http from 'node:http';
import https from 'node:https';
import type { AttemptError } from '@indbakke/shared/api';
import { currentTime } from '@indbakke/shared/clock';
import { KiB, SECOND } from '@indbakke/shared/config';
import type { Targets } from './targets.js';

/** What one attempt came to. Nothing of the answer but its status and size: it could hold anything. */
export interface Outcome {
  readonly at: Date;
  /** Null without an answer. */
  readonly status: number | null;
  /** Why there is none. */
  readonly error: AttemptError | null;
  readonly milliseconds: number;
  /** Bytes of the answer’s body that were read. */
  readonly answerSize: number | null;
}

export interface Sending {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const LIMIT_MS = 10 * SECOND;
const MAX_ANSWER_BYTES = 4 * KiB;

/**
 * Posts to a URL: on a connection of its own, past any proxy of the environment, to an allowed address only, without following
 * redirects. Never fails.
 */
export function send(targets: Targets, { url, headers, body }: Sending, limitMs = LIMIT_MS): Promise<Outcome> {
  const at = currentTime();
  const began = performance.now();
  const target = new URL(url);
  return new Promise((resolve) => {
    let answer: { status: number; size: number } | undefined;
    const end = (error: AttemptError) => {
      clearTimeout(timer);
      request?.destroy();
      const { status = null, size = null } = answer ?? {};
      const milliseconds = Math.round(performance.now() - began);
      resolve({ at, status, error: answer ? null : error, milliseconds, answerSize: size });
    };
    const timer = setTimeout(end, limitMs, 'timeout');
    const request = open();
    if (!request) return end('address-refused');
    request.on('error', (error) => end(codeOf(error)));
    request.on('close', () => end('connection-broken')); // without an error when the answer is a change of protocol
    request.on('response', (response) => {
      const read = { status: response.statusCode as number, size: 0 };
      answer = read;
      response.on('data', (bytes: Buffer) => {
        read.size = Math.min(read.size + bytes.length, MAX_ANSWER_BYTES);
        if (read.size === MAX_ANSWER_BYTES) end('connection-broken');
      });
      response.on('error', () => {});
      response.on('close', () => end('connection-broken'));
    });
    request.end(body);
  });

  function open(): http.ClientRequest | undefined {
    if (!targets.isAllowed(target)) return undefined;
    const { request } = target.protocol === 'https:' ? https : http;
    return request(target, {
      method: 'POST',
      agent: false,
      lookup: targets.lookup,
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    });
  }
}

const TLS_FAULT = /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|EPROTO)/;

function codeOf({ code = '' }: NodeJS.ErrnoException): AttemptError {
  if (code === 'address-refused' || code === 'name-unknown') return code;
  if (code === 'ECONNREFUSED') return 'connection-refused';
  if (code === 'ETIMEDOUT') return 'timeout';
  return TLS_FAULT.test(code) ? 'tls-failed' : 'connection-broken';
}
