import { gzipSync } from 'node:zlib';
import { good, type HostileBody, type HostileList } from './hostile.js';

const headers = (
  of: Readonly<Record<string, string>>,
  answer: string,
  body: () => string | Buffer = good,
): HostileBody => ({
  body,
  headers: of,
  answer,
});
const bomb = () => gzipSync(Buffer.alloc(20_000_000));

export const HEADERS: HostileList = {
  'gzip, declared': headers({ 'content-encoding': 'gzip' }, 'unsupported-media-type', () => gzipSync(good())),
  'gzip declared, but XML': headers({ 'content-encoding': 'gzip' }, 'unsupported-media-type'),
  'a gzip bomb': headers({ 'content-encoding': 'gzip' }, 'unsupported-media-type', bomb),
  'gzip, undeclared': headers({}, 'not-xml', bomb),
  brotli: headers({ 'content-encoding': 'br' }, 'unsupported-media-type'),
  'two encodings': headers({ 'content-encoding': 'deflate, gzip' }, 'unsupported-media-type'),
  'the media type of JSON': headers({ 'content-type': 'application/json' }, 'unsupported-media-type'),
  'an invalid media type': headers({ 'content-type': 'xml' }, 'unsupported-media-type'),
  'another charset': headers({ 'content-type': 'application/xml; charset=utf-16' }, 'not-utf8'),
};

const BOUNDARY = 'grænse'.replace('æ', 'ae');
const part = (disposition: string, body: string, more = '') =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; ${disposition}\r\n${more}\r\n${body}\r\n`;
const form = (parts: () => string, answer: string, end = `--${BOUNDARY}--\r\n`): HostileBody => ({
  body: () => parts() + end,
  headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
  answer,
});
const filePart = (more = '') => part('name="file"; filename="a.xml"', good(), more);

export const FORMS: HostileList = {
  'form of ten thousand parts': form(() => part('name="a"', 'x').repeat(10_000) + filePart(), 'not-multipart'),
  'form of ten thousand files': form(
    () => filePart() + part('name="file"; filename="b"', 'x').repeat(10_000),
    'not-multipart',
  ),
  'form with a part header of 1 MB': form(() => filePart(`X-A: ${'a'.repeat(1_000_000)}\r\n`), 'accepted'),
  'form with ten thousand part headers': form(() => filePart('X-A: a\r\n'.repeat(10_000)), 'accepted'),
  'form without its boundary': form(() => 'x'.repeat(1_000_000), 'not-multipart', ''),
  'form without its end': form(() => filePart(), 'not-multipart', ''),
  'form with a file name that leads upwards': form(() => part('name="file"; filename="../../a"', good()), 'accepted'),
  'form with a part called __proto__': form(() => part('name="__proto__"', 'x') + filePart(), 'accepted'),
  'form in a form': form(() => part('name="file"; filename="a"', filePart().replaceAll(BOUNDARY, 'inner')), 'not-xml'),
  'form whose part says base64': form(
    () =>
      part(
        'name="file"; filename="a"',
        Buffer.from(good()).toString('base64'),
        'Content-Transfer-Encoding: base64\r\n',
      ),
    'not-xml',
  ),
};

const ENVELOPE = 'http://schemas.xmlsoap.org/soap/envelope/';
const call = (inside: string) => `<p:PostModtagRequest xmlns:p="urn:indbakke:sf1606:1">${inside}</p:PostModtagRequest>`;
const bare = () => good().replace(/^<\?xml.*?\?>\s*/, '');
const soap = (inside: () => string, answer: string): HostileBody => ({
  body: () => `<S:Envelope xmlns:S="${ENVELOPE}">${inside()}</S:Envelope>`,
  headers: { 'content-type': 'text/xml' },
  path: '/sf1606/soap',
  answer,
});
const bodyOf = (inside: string) => `<S:Body>${inside}</S:Body>`;

export const ENVELOPES: HostileList = {
  'envelope without a body': soap(() => '', 'not-memo'),
  'envelope with two bodies': soap(() => bodyOf(call(bare())).repeat(2), 'not-memo'),
  'envelope with a foreign body': soap(() => '<S:Body><x:a xmlns:x="urn:x"/></S:Body>', 'not-memo'),
  'envelope in an envelope': soap(() => bodyOf(`<S:Envelope>${bodyOf(call(bare()))}</S:Envelope>`), 'not-memo'),
  'envelope with two messages': soap(() => bodyOf(call(bare() + bare())), 'not-memo'),
  'envelope with a message in its header': soap(() => `<S:Header>${bare()}</S:Header>${bodyOf(call(''))}`, 'not-memo'),
  'envelope with __proto__ in its header': soap(
    () => `<S:Header><__proto__/></S:Header>${bodyOf(call(bare()))}`,
    'forbidden-xml',
  ),
  'envelope with a document type': {
    ...soap(() => '', 'forbidden-xml'),
    body: () => `<!DOCTYPE a><S:Envelope xmlns:S="${ENVELOPE}"/>`,
  },
  'envelope with a call nested in calls': soap(() => bodyOf(call(call(bare()))), 'not-memo'),
  'envelope declared as gzip': {
    ...soap(() => bodyOf(call(bare())), 'unsupported-media-type'),
    headers: { 'content-type': 'text/xml', 'content-encoding': 'gzip' },
  },
};
