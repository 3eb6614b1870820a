import type { Socket } from 'node:net';
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
type Cut = 'too-long' | 'too-slow' | 'idle' | 'over-share';

type Rules = Pick<
  ReceiverConfig,
  'MAX_UPLOADS' | 'MAX_UPLOAD_SECONDS' | 'MIN_UPLOAD_RATE' | 'UPLOAD_RATE_SECONDS' | 'UPLOAD_IDLE_SECONDS'
>;

export function createUploads(rules: Rules, metrics: DeliveryMetrics): Uploads {
  return new Places(rules, metrics);
}

class CountedUpload implements Upload {
  readonly caller: string;
  readonly onCut: (problem: Problem) => void;
  readonly startedAt = performance.now();
  waiting = false;
  bytes = 0;
  bytesThisSecond = 0;
  /** Seconds of waiting in a row in which hardly a byte came. */
  idle = 0;
  /** The seconds of waiting whose bytes are measured against the rate. */
  window = { seconds: 0, bytes: 0 };

  constructor(caller: string, onCut: (problem: Problem) => void) {
    this.caller = caller;
    this.onCut = onCut;
  }

  took(bytes: number): void {
    this.bytes += bytes;
    this.bytesThisSecond += bytes;
    this.window.bytes += bytes;
  }

  /** A second of waiting has passed. */
  tick(hardlyAny: number): void {
    this.idle = this.bytesThisSecond < hardlyAny ? this.idle + 1 : 0;
    this.bytesThisSecond = 0;
    this.window.seconds += 1;
  }
}

class Places implements Uploads {
  readonly #rules: Rules;
  readonly #metrics: DeliveryMetrics;
  readonly #sentences: Readonly<Record<Cut, string>>;
  readonly #underWay = new Set<CountedUpload>();
  /** By connection: a caller may send many deliveries one behind the other. */
  readonly #ofConnection = new WeakMap<Socket, Set<CountedUpload>>();

  constructor(rules: Rules, metrics: DeliveryMetrics) {
    const { MAX_UPLOAD_SECONDS, MIN_UPLOAD_RATE, UPLOAD_RATE_SECONDS, UPLOAD_IDLE_SECONDS } = rules;
    this.#rules = rules;
    this.#metrics = metrics;
    this.#sentences = {
      'too-long': `The message took longer than ${MAX_UPLOAD_SECONDS} s, the limit.`,
      'too-slow': `Less than ${MIN_UPLOAD_RATE} bytes a second arrived for ${UPLOAD_RATE_SECONDS} s.`,
      idle: `Hardly a byte arrived for ${UPLOAD_IDLE_SECONDS} s, and another delivery needed the place.`,
      'over-share': 'Another caller needed one of the many places that this one had.',
    };
  }

  begin({ socket }: Request, res: Response, onCut: (problem: Problem) => void): Upload {
    const caller = socket.remoteAddress ?? '';
    if (this.#underWay.size >= this.#rules.MAX_UPLOADS) this.#cut(...this.#choose(caller));
    const upload = new CountedUpload(caller, onCut);
    this.#underWay.add(upload);
    this.#metrics.uploads.set(this.#underWay.size);
    const ofConnection = this.#uploadsOf(socket);
    ofConnection.add(upload);
    res.once('close', () => {
      this.#leave(upload);
      ofConnection.delete(upload);
    });
    return upload;
  }

  /** They end with the connection: a pipelined answer that has not had its turn emits no close when that breaks. */
  #uploadsOf(socket: Socket): Set<CountedUpload> {
    const known = this.#ofConnection.get(socket);
    if (known) return known;
    const uploads = new Set<CountedUpload>();
    this.#ofConnection.set(socket, uploads);
    // One listener for all: Node warns of a leak from the eleventh on.
    socket.once('close', () => {
      for (const upload of uploads) this.#leave(upload);
    });
    return uploads;
  }

  check(): void {
    const { MAX_UPLOAD_SECONDS, MIN_UPLOAD_RATE, UPLOAD_RATE_SECONDS } = this.#rules;
    const hardlyAny = Math.max(1, MIN_UPLOAD_RATE); // a byte a second keeps no place that others need
    for (const upload of this.#waiting()) {
      upload.tick(hardlyAny);
      const { seconds, bytes } = upload.window;
      if (performance.now() - upload.startedAt >= MAX_UPLOAD_SECONDS * SECOND) this.#cut(upload, 'too-long');
      else if (seconds >= UPLOAD_RATE_SECONDS && bytes < MIN_UPLOAD_RATE * seconds) this.#cut(upload, 'too-slow');
      else if (seconds >= UPLOAD_RATE_SECONDS) upload.window = { seconds: 0, bytes: 0 };
    }
  }

  /** Which upload makes room for a newcomer, and why. @throws Problem send-again when none does */
  #choose(newcomer: string): [CountedUpload, Cut] {
    const { MAX_UPLOADS, UPLOAD_IDLE_SECONDS } = this.#rules;
    const [idlest] = this.#waiting().sort((a, b) => b.idle - a.idle);
    if (idlest && idlest.idle >= UPLOAD_IDLE_SECONDS) return [idlest, 'idle'];

    const places = new Map<string, number>();
    const placesOf = (caller: string) => places.get(caller) ?? 0;
    for (const { caller } of this.#underWay) places.set(caller, placesOf(caller) + 1);
    // Of the caller with the most places the one with the least to send again.
    const [least] = this.#waiting().sort((a, b) => placesOf(b.caller) - placesOf(a.caller) || a.bytes - b.bytes);
    if (least && placesOf(least.caller) > placesOf(newcomer) + 1) return [least, 'over-share'];

    throw new Problem('send-again', `The limit of ${MAX_UPLOADS} concurrent uploads is reached. Send it again later.`);
  }

  #waiting(): CountedUpload[] {
    return [...this.#underWay].filter(({ waiting }) => waiting);
  }

  #cut(upload: CountedUpload, why: Cut): void {
    this.#leave(upload);
    this.#metrics.cut.inc({ why });
    const cause = Object.assign(new Error(why), { code: why });
    upload.onCut(new Problem('body-incomplete', `${this.#sentences[why]} Send it again.`, { cause }));
  }

  #leave(upload: CountedUpload): void {
    this.#underWay.delete(upload);
    this.#metrics.uploads.set(this.#underWay.size);
  }
}
