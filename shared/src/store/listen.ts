import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { SECOND } from '../config/index.js';

/** Hears what others NOTIFY. Something may be lost, so it only says that it is worth looking. */
export interface Listener {
  /** Whether what others send was last known to arrive: not before it is connected, nor behind a pooler in transaction mode. */
  readonly isHearing: boolean;
  start(): void;
  stop(): Promise<void>;
}

export interface ListenerOptions {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  readonly channels: readonly string[];
  hear(channel: string, payload: string): void;
  /** Sends over another connection. */
  notify(channel: string, payload: string): Promise<unknown>;
  /** Time between two echoes, default 10 s. */
  readonly echoEveryMs?: number;
}

const ECHO_CHANNEL = 'indbakke_echo';
const ECHO_WITHIN_MS = SECOND;
const RETRY_MS = SECOND;
const ANSWER_MS = 5 * SECOND;

/**
 * LISTEN on a connection of its own, made again when it ends. Every 10 seconds it sends itself an echo over another
 * connection: a connection that is silently dead, or not the server’s that LISTEN was sent to, does not bring it.
 */
export function createListener({
  url,
  name,
  channels,
  hear,
  notify,
  echoEveryMs = 10 * SECOND,
}: ListenerOptions): Listener {
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> | undefined;
  let isHearing = false;

  const keepListening = async () => {
    while (!signal.aborted) {
      await listen().catch(() => {});
      isHearing = false;
      await delay(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  };

  const listen = async () => {
    const client = new pg.Client({
      connectionString: url,
      application_name: name,
      connectionTimeoutMillis: ANSWER_MS,
      query_timeout: ANSWER_MS,
      keepAlive: true,
    });
    // Of this connection; ended with it, so that nothing waits for one that is gone.
    const ending = new AbortController();
    const end = () => ending.abort();
    client.on('error', end);
    client.on('end', end);
    signal.addEventListener('abort', end);
    const pause = (milliseconds: number, awaited: AbortSignal = ending.signal) =>
      delay(milliseconds, undefined, { signal: AbortSignal.any([ending.signal, awaited]) }).catch(() => {});
    let echo = { token: '', heard: new AbortController() };
    client.on('notification', ({ channel, payload = '' }) => {
      if (channel !== ECHO_CHANNEL) hear(channel, payload);
      else if (payload === echo.token) echo.heard.abort();
    });
    try {
      await client.connect();
      await client.query([...channels, ECHO_CHANNEL].map((channel) => `LISTEN ${channel}`).join('; '));
      while (!ending.signal.aborted) {
        echo = { token: randomUUID(), heard: new AbortController() };
        await notify(ECHO_CHANNEL, echo.token);
        await pause(ECHO_WITHIN_MS, echo.heard.signal);
        isHearing = echo.heard.signal.aborted && !ending.signal.aborted;
        await pause(echoEveryMs);
      }
    } finally {
      isHearing = false;
      signal.removeEventListener('abort', end);
      await Promise.race([client.end(), delay(RETRY_MS)]).catch(() => {});
    }
  };

  return {
    get isHearing() {
      return isHearing;
    },
    start() {
      running ??= keepListening();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
