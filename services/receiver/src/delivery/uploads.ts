import { SECOND } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import type { Request, Response } from 'express';
import type { ReceiverConfig } from '../config.js';
import type { DeliveryMetrics } from './metrics.js';

/**
 * The places for deliveries in progress, over all endpoints. Their number bounds memory, so they are shared: whoever is too
 * slow loses its place, and when all are taken a newcomer gets the place of one that is idle, or of the caller with the most.
 *
 * A caller is an address, and behind one proxy all callers share its address. So a share is no fixed number: one caller may
 * have all places as long as no other wants one.
 */
export interface Uploads {
  /**
   * Takes a place until the delivery is answered or the caller disconnects.
   * @param onCut hears, at most once, that it lost its place
   * @throws Problem send-again when there is none
   */
  begin(req: Request, res: Response, onCut: (problem: Problem) => void): Upload;
  /** Takes the places of those that are too slow. To be called every second. */
  check(): void;
}

/** A delivery in progress, as the reader of its body sees it. */
export interface Upload {
  /** Bytes are awaited. Time in which we are not ready for them is not the caller’s. */
  waiting: boolean;
  /** Bytes have arrived. */
  took(bytes: number): void;
}

/** Why an upload lost its place; the log has it as `causeCode`. */
export type Cut = 'too-long' | 'too-slow' | 'idle' | 'over-share';

type Rules = Pick<
  ReceiverConfig,
  'MAX_UPLOADS' | 'MAX_UPLOAD_SECONDS' | 'MIN_UPLOAD_RATE' | 'UPLOAD_RATE_SECONDS' | 'UPLOAD_IDLE_SECONDS'
>;

interface CountedUpload extends Upload {
  readonly caller: string;
  readonly startedAt: number;
  readonly onCut: (problem: Problem) => void;
  bytes: number;
  bytesThisSecond: number;
  /** Seconds of waiting in a row in which hardly a byte came. */
  idle: number;
  /** The seconds of waiting whose bytes are measured against the rate. */
  window: { seconds: number; bytes: number };
}

export function createUploads(rules: Rules, metrics: DeliveryMetrics): Uploads {
  const { MAX_UPLOADS, MAX_UPLOAD_SECONDS, MIN_UPLOAD_RATE, UPLOAD_RATE_SECONDS, UPLOAD_IDLE_SECONDS } = rules;
  const sentences: Readonly<Record<Cut, string>> = {
    'too-long': `The message took longer than ${MAX_UPLOAD_SECONDS} s, the limit.`,
    'too-slow': `Less than ${MIN_UPLOAD_RATE} bytes a second arrived for ${UPLOAD_RATE_SECONDS} s.`,
    idle: `Hardly a byte arrived for ${UPLOAD_IDLE_SECONDS} s, and another delivery needed the place.`,
    'over-share': 'Another caller needed one of the many places that this one had.',
  };
  const hardlyAny = Math.max(1, MIN_UPLOAD_RATE); // a byte a second keeps no place that others need
  const underWay = new Set<CountedUpload>();
  const waiting = () => [...underWay].filter((upload) => upload.waiting);

  const leave = (upload: CountedUpload) => {
    underWay.delete(upload);
    metrics.uploads.set(underWay.size);
  };
  const cut = (upload: CountedUpload, why: Cut) => {
    leave(upload);
    metrics.cut.inc({ why });
    const cause = Object.assign(new Error(why), { code: why });
    upload.onCut(new Problem('body-incomplete', `${sentences[why]} Send it again.`, { cause }));
  };
  const makeRoom = (newcomer: string) => {
    const [idlest] = waiting().sort((a, b) => b.idle - a.idle);
    if (idlest && idlest.idle >= UPLOAD_IDLE_SECONDS) return cut(idlest, 'idle');

    const places = new Map<string, number>();
    for (const { caller } of underWay) places.set(caller, placesOf(caller) + 1);
    function placesOf(caller: string): number {
      return places.get(caller) ?? 0;
    }
    // Of the caller with the most places the one with the least to send again.
    const [least] = waiting().sort((a, b) => placesOf(b.caller) - placesOf(a.caller) || a.bytes - b.bytes);
    if (least && placesOf(least.caller) > placesOf(newcomer) + 1) return cut(least, 'over-share');

    throw new Problem('send-again', `The limit of ${MAX_UPLOADS} concurrent uploads is reached. Send it again later.`);
  };
  return {
    begin({ socket }, res, onCut) {
      const caller = socket.remoteAddress ?? '';
      if (underWay.size >= MAX_UPLOADS) makeRoom(caller);
      const upload: CountedUpload = {
        caller,
        startedAt: performance.now(),
        onCut,
        waiting: false,
        bytes: 0,
        bytesThisSecond: 0,
        idle: 0,
        window: { seconds: 0, bytes: 0 },
        took(bytes) {
          this.bytes += bytes;
          this.bytesThisSecond += bytes;
          this.window.bytes += bytes;
        },
      };
      underWay.add(upload);
      metrics.uploads.set(underWay.size);
      const end = () => {
        leave(upload);
        socket.off('close', end);
      };
      res.once('close', end);
      // A pipelined answer that has not had its turn emits no close when the connection breaks.
      socket.once('close', end);
      return upload;
    },
    check() {
      for (const upload of waiting()) {
        upload.idle = upload.bytesThisSecond < hardlyAny ? upload.idle + 1 : 0;
        upload.bytesThisSecond = 0;
        upload.window.seconds += 1;
        const { seconds, bytes } = upload.window;
        if (performance.now() - upload.startedAt >= MAX_UPLOAD_SECONDS * SECOND) cut(upload, 'too-long');
        else if (seconds >= UPLOAD_RATE_SECONDS && bytes < MIN_UPLOAD_RATE * seconds) cut(upload, 'too-slow');
        else if (seconds >= UPLOAD_RATE_SECONDS) upload.window = { seconds: 0, bytes: 0 };
      }
    },
  };
}
