import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { REST_PATH } from '../testkit/deliver.js';

/** Digital Post’s receipt, in its JSON form. */
export interface Receipt {
  readonly transmissionId: string;
  readonly receiptStatus: 'COMPLETED' | 'INVALID' | 'NOT_ALLOWED';
  readonly messageUUID?: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

export interface Delivery {
  /** What the day’s table calls the letter. */
  readonly title: string;
  readonly httpStatus: number;
  /** As it came over the wire. */
  readonly receiptText: string;
  readonly receipt: Receipt;
  /** The same receipt was given before: the letter was here already. */
  readonly isDuplicate: boolean;
}

/** Serviceplatformen’s part: delivers letters over REST and keeps their receipts. */
export class DigitalPost {
  readonly deliveries: Delivery[] = [];
  readonly #url: string;
  readonly #signal: AbortSignal;

  constructor(url: string, signal: AbortSignal) {
    this.#url = url + REST_PATH;
    this.#signal = signal;
  }

  /** @param size of the body, in bytes; needed when it is a stream */
  async deliver(title: string, body: Buffer | AsyncIterable<Buffer>, size?: number): Promise<Delivery> {
    const length = Buffer.isBuffer(body) ? body.length : size;
    const answer = await this.#post(Readable.from(body, { objectMode: false }), length);
    const receiptText = await text(answer);
    const receipt = JSON.parse(receiptText) as Receipt;
    const isDuplicate = this.deliveries.some((earlier) => earlier.receipt.transmissionId === receipt.transmissionId);
    const delivery = { title, httpStatus: answer.statusCode ?? 0, receiptText, receipt, isDuplicate };
    this.deliveries.push(delivery);
    return delivery;
  }

  /** Not fetch: what it sends in 100 MB is garbage of 100 MB, and takes twice as long (measured). */
  async #post(body: Readable, length: number | undefined): Promise<IncomingMessage> {
    const sending = request(this.#url, {
      method: 'POST',
      headers: {
        'content-type': 'application/xml',
        accept: 'application/json',
        ...(length !== undefined && { 'content-length': length }),
      },
      signal: this.#signal,
    });
    const answered = once(sending, 'response');
    const [[answer]] = await Promise.all([answered, pipeline(body, sending)]);
    return answer as IncomingMessage;
  }
}
