import { describe, expect, it } from 'vitest';
import { type Selection, selectBytes, versionIn } from '../../src/http/index.js';

const SIZE = 100;
const ETAG = '"0a1b"';

/** What is answered to these headers: the status, and the bytes if there are any. */
function answerTo(headers: Record<string, string>, { method = 'GET', size = SIZE } = {}): string {
  const get = (name: string) => headers[name];
  const { status, range }: Selection = selectBytes({ method, get } as Parameters<typeof selectBytes>[0], {
    size,
    etag: ETAG,
  });
  return range.end > range.start ? `${status} ${range.start}-${range.end - 1}` : String(status);
}

describe('a range', () => {
  it.each([
    ['bytes=0-0', '206 0-0'],
    ['bytes=10-', '206 10-99'],
    ['bytes=90-200', '206 90-99'],
    ['bytes=-10', '206 90-99'],
    ['bytes=-200', '206 0-99'],
    ['Bytes=0-9', '206 0-9'],
    ['bytes=100-', '416'],
    [`bytes=${'9'.repeat(30)}-`, '416'],
    ['bytes=-0', '416'],
    ['bytes=9-0', '200 0-99'],
    ['bytes=0-1,5-6', '200 0-99'],
    ['bytes=', '200 0-99'],
    ['bytes=-', '200 0-99'],
    ['items=0-1', '200 0-99'],
    ['nonsense', '200 0-99'],
  ])('%s is answered %s', (range, answer) => {
    expect(answerTo({ range })).toBe(answer);
    expect(answerTo({ range }, { method: 'HEAD' })).toBe('200');
  });

  it.each([
    ['bytes=0-', '200'],
    ['bytes=0-0', '200'],
    ['bytes=-5', '200'],
    ['bytes=5-', '416'],
  ])('of nothing is the whole of it, unless it begins later: %s', (range, answer) => {
    expect(answerTo({ range }, { size: 0 })).toBe(answer);
  });
});

describe('preconditions', () => {
  it.each([
    [ETAG, '304'],
    [`W/${ETAG}`, '304'],
    [`"x", ${ETAG}`, '304'],
    [`"a,b",W/${ETAG} , "c"`, '304'],
    ['*', '304'],
    [' * ', '304'],
    ['"0a1b-gzip"', '304'],
    ['"0a1b--gzip"', '304'],
    ['"0a1b;gzip"', '304'],
    ['W/"0a1b-br"', '304'],
    ['"0a1b-zstd"', '304'],
    ['"0a1c"', '200 0-99'],
    ['"0A1B"', '200 0-99'],
    ['"a, 0a1b"', '200 0-99'],
    ['0a1b', '200 0-99'],
    ['', '200 0-99'],
  ])('If-None-Match: %s is answered %s', (ifNoneMatch, answer) => {
    expect(answerTo({ 'if-none-match': ifNoneMatch })).toBe(answer);
    expect(answerTo({ 'if-none-match': ifNoneMatch }, { method: 'HEAD' })).toBe(answer.slice(0, 3));
    expect(answerTo({ 'if-none-match': ifNoneMatch, range: 'bytes=0-4' })).toBe(answer === '304' ? '304' : '206 0-4');
  });

  it.each([
    [ETAG, '200 0-99'],
    ['*', '200 0-99'],
    [`"x", ${ETAG}`, '200 0-99'],
    [`W/${ETAG}`, '412'],
    ['"x"', '412'],
  ])('If-Match: %s is answered %s, before anything else', (ifMatch, answer) => {
    expect(answerTo({ 'if-match': ifMatch })).toBe(answer);
    if (answer === '412') expect(answerTo({ 'if-match': ifMatch, 'if-none-match': '*' })).toBe('412');
  });

  it.each([
    [ETAG, '206 0-4'],
    [`W/${ETAG}`, '200 0-99'],
    ['"0a1b-gzip"', '200 0-99'],
    ['"x"', '200 0-99'],
    ['Mon, 02 Nov 2026 08:12:00 GMT', '200 0-99'],
    ['', '200 0-99'],
  ])('If-Range: %s is answered %s', (ifRange, answer) => {
    expect(answerTo({ range: 'bytes=0-4', 'if-range': ifRange })).toBe(answer);
  });

  it('of time are ignored, as there is no Last-Modified', () => {
    const date = 'Mon, 02 Nov 2026 08:12:00 GMT';
    expect(answerTo({ 'if-modified-since': date, 'if-unmodified-since': date })).toBe('200 0-99');
  });
});

describe('a version', () => {
  it.each([
    '"12"',
    '12',
    ' "12" ',
    'W/"12"',
    '"12-gzip"',
    'W/"12-gzip"',
    '"12;gzip"',
    '"12--gzip"',
    '"12-br"',
    '"12-zstd"',
  ])('is understood as proxies send it back: %s', (header) => expect(versionIn(header)).toBe(12));

  it.each(['', '*', '""', '"a"', '"1", "2"', '"-1"', '"1.0"', '1e3', '"1-x"', '"1-gzip-gzip"', '"1234567890"'])(
    'is nothing else: %s',
    (header) => expect(versionIn(header)).toBeUndefined(),
  );
});
