import type { Request, Response } from 'express';
import type { ByteRange } from '../content/index.js';
import { Problem } from '../errors/index.js';
import { namesContent, namesSameBytes } from './entity-tags.js';

/** What a GET or HEAD of stored bytes is answered with, once they are known to be there. */
export interface Selection {
  readonly status: 200 | 206 | 304 | 412 | 416;
  /** The bytes to send, `end` not included; empty when the answer has none. */
  readonly range: ByteRange;
  /** The whole content. */
  readonly size: number;
  /** With its quotes. */
  readonly etag: string;
}

const NOTHING: ByteRange = { start: 0, end: 0 };

/**
 * Evaluates preconditions and Range in the order of RFC 9110, 13.2.2. Dates are ignored, as content has none. Opening the
 * range comes next, then `describeSelection`: content that is gone must not be answered 304 or 416 (RFC 9110, 13.2.1).
 */
export function selectBytes(
  req: Pick<Request, 'method' | 'get'>,
  { size, etag }: Pick<Selection, 'size' | 'etag'>,
): Selection {
  const select = (status: Selection['status'], range = NOTHING): Selection => ({ status, range, size, etag });
  const whole = select(200, req.method === 'HEAD' ? NOTHING : { start: 0, end: size });

  const [ifMatch, ifNoneMatch, ifRange] = [req.get('if-match'), req.get('if-none-match'), req.get('if-range')];
  if (ifMatch !== undefined && !namesSameBytes(ifMatch, etag)) return select(412);
  if (ifNoneMatch !== undefined && namesContent(ifNoneMatch, etag)) return select(304);
  // RFC 9110, 14.2: Range is for GET only; 13.1.5: If-Range is one tag, compared strongly.
  if (req.method === 'HEAD' || (ifRange !== undefined && ifRange.trim() !== etag)) return whole;

  const range = parseRange(req.get('range') ?? '', size);
  // No Content-Range can describe part of nothing. RFC 9110, 14.2 allows to ignore Range; nginx and Go do here.
  if (range === undefined || (size === 0 && range.start === 0)) return whole;
  return range.start < range.end ? select(206, range) : select(416);
}

/**
 * Sets status and headers of the answer.
 *
 * @throws Problem version-changed (412), range-not-satisfiable (416)
 */
export function describeSelection(res: Response, { status, range, size, etag }: Selection): void {
  if (status === 412) throw new Problem('version-changed', 'If-Match names another content.');
  if (status === 416) {
    res.set('Content-Range', `bytes */${size}`);
    throw new Problem('range-not-satisfiable', `The Range is outside the content, which has ${size} bytes.`);
  }
  res.status(status).set('ETag', etag);
  if (status === 304) return;
  res.set('Accept-Ranges', 'bytes');
  if (status === 206) res.set('Content-Range', `bytes ${range.start}-${range.end - 1}/${size}`);
  res.set('Content-Length', String(status === 206 ? range.end - range.start : size));
}

/**
 * RFC 9110, 14.1.2: `bytes=first-last`, `bytes=first-` or `bytes=-length`; empty when outside the content. Several ranges,
 * other units and nonsense are ignored.
 */
function parseRange(header: string, size: number): ByteRange | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/i.exec(header.trim()) ?? [];
  if (first === '') return last === '' ? undefined : { start: Math.max(0, size - Number(last)), end: size };
  if (last === '') return { start: Number(first), end: size };
  if (Number(last) < Number(first)) return undefined;
  return { start: Number(first), end: Math.min(Number(last) + 1, size) };
}
