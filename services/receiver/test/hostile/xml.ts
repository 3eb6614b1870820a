import {
  bytesInSubject,
  content,
  good,
  goodWith,
  type HostileList,
  inHeader,
  MEMO,
  onRoot,
  prolog,
  subject,
} from './hostile.js';

const laughs = Array.from({ length: 10 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join('');
const file = '<memo:File><memo:content>QQ==</memo:content></memo:File>';
const files = (count: number, one: string) =>
  goodWith(
    (xml) => xml.replace('<memo:MainDocument>', () => `<memo:MainDocument>${one.repeat(count)}`),
    'skeleton-too-large',
  );
const encoded = (name: string, encode: (xml: string) => Buffer, answer: string) => ({
  body: () => encode(good().replace('UTF-8', name)),
  answer,
});
const utf32 = (xml: string) =>
  Buffer.concat([...xml].map((character) => Buffer.from([character.charCodeAt(0), 0, 0, 0])));

export const ENTITIES: HostileList = {
  'entity expansion, billion laughs': prolog(`<!DOCTYPE a [<!ENTITY l0 "ha">${laughs}]>`, 'forbidden-xml'),
  'entity expansion, quadratic': prolog(`<!DOCTYPE a [<!ENTITY a "${'a'.repeat(100_000)}">]>`, 'forbidden-xml'),
  'external entity of a file': prolog('<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>', 'forbidden-xml'),
  'external entity of an address': prolog('<!DOCTYPE a [<!ENTITY a SYSTEM "http://127.0.0.1/a">]>', 'forbidden-xml'),
  'parameter entity': prolog('<!DOCTYPE a [<!ENTITY % a SYSTEM "http://127.0.0.1/a"> %a;]>', 'forbidden-xml'),
  'document type, bare': prolog('<!DOCTYPE Message>', 'forbidden-xml'),
  'document type in lower case': prolog('<!doctype Message>', 'forbidden-xml'),
  'document type that never ends': prolog(`<!DOCTYPE a [${'<!ENTITY a "b">'.repeat(100_000)}`, 'forbidden-xml'),
  'document type after a comment': prolog('<!-- a --><!DOCTYPE a>', 'forbidden-xml'),
  'document type inside the message': inHeader('<!DOCTYPE a>', 'forbidden-xml'),
  'undeclared entity': subject('&hemmelig;', 'forbidden-xml'),
  'entity of HTML': subject('&nbsp;', 'forbidden-xml'),
  'an unescaped ampersand before a large file': goodWith(
    (xml) => xml.replace('Emne', 'A & B').replace('<memo:content>', () => `<memo:content>${'QUJD'.repeat(500_000)}`),
    'not-xml',
  ),
  'entity in an attribute': onRoot('a="&b;"', 'forbidden-xml'),
  'entity in base64': content('QUJ&amp;', 'content-not-base64'),
};

export const SIZES: HostileList = {
  'nested 1000 deep': inHeader('<a>'.repeat(1_000) + '</a>'.repeat(1_000), 'not-memo'),
  'nested a million deep, never closed': { body: () => '<a>'.repeat(1_000_000), answer: 'not-memo' },
  'an attribute of 900 kB': onRoot(`a="${'a'.repeat(900_000)}"`, 'accepted'),
  'an attribute of 2 MB': onRoot(`a="${'a'.repeat(2_000_000)}"`, 'skeleton-too-large'),
  'a label of 900 kB': subject('æ'.repeat(450_000), 'accepted'),
  'a label of 2 MB': subject('a'.repeat(2_000_000), 'skeleton-too-large'),
  'a name of 900 kB': inHeader(`<${'a'.repeat(900_000)}/>`, 'accepted'),
  'a comment of 2 MB': prolog(`<!--${'a'.repeat(2_000_000)}-->`, 'skeleton-too-large'),
  'a comment of 900 kB that looks like tags': prolog(`<!--${'<a>'.repeat(300_000)}-->`, 'accepted'),
  'a comment of 900 kB that looks like contents': prolog(`<!--${'<content>'.repeat(100_000)}-->`, 'accepted'),
  'a comment of 900 kB in base64': content(`QUJD<!--${'>'.repeat(900_000)}-->`, 'accepted'),
  'white space of 2 MB': prolog(' '.repeat(2_000_000), 'skeleton-too-large'),
  'a tag that never ends': { body: () => `<a ${' '.repeat(2_000_000)}`, answer: 'skeleton-too-large' },
  'a million attributes without values': { body: () => `<a ${'b '.repeat(1_000_000)}`, answer: 'not-xml' },
  'ten thousand attributes': onRoot(Array.from({ length: 10_000 }, (_, n) => `a${n}=""`).join(' '), 'not-memo'),
  'a thousand namespaces': onRoot(Array.from({ length: 1_000 }, (_, n) => `xmlns:a${n}="u"`).join(' '), 'not-memo'),
  'namespaces at every level': inHeader(
    Array.from({ length: 50 }, (_, n) => `<a xmlns:a${n}="u" xmlns:b${n}="u" xmlns:c${n}="u">`).join('') +
      '</a>'.repeat(50),
    'not-memo',
  ),
  'a million tiny files': files(1_000_000, file),
  'files without content, 2001': files(2_001, '<memo:File/>'),
  'contents in one file, 2001': files(1, `<memo:File>${'<memo:content/>'.repeat(2_001)}</memo:File>`),
  'a million elements': inHeader('<a/>'.repeat(1_000_000), 'skeleton-too-large'),
  'a hundred thousand remarks': inHeader('<a/>'.repeat(15_000), 'accepted'),
  'a hundred thousand references': subject('&#65;'.repeat(100_000), 'accepted'),
};

export const NAMESPACES: HostileList = {
  'prefix bound to nothing': onRoot('xmlns:a=""', 'not-xml'),
  'prefix xml bound elsewhere': onRoot('xmlns:xml="urn:x"', 'not-xml'),
  'prefix xmlns declared': onRoot('xmlns:xmlns="urn:x"', 'not-xml'),
  'the namespace of xml as the default': inHeader('<a xmlns="http://www.w3.org/XML/1998/namespace"/>', 'not-xml'),
  'one attribute under two prefixes': onRoot('xmlns:p="u" xmlns:q="u" p:a="" q:a=""', 'not-xml'),
  'one attribute twice': onRoot('a="1" a="2"', 'not-xml'),
  'prefix not declared': inHeader('<x:a/>', 'not-xml'),
  'two colons in a name': inHeader('<memo:a:b/>', 'not-xml'),
  'MeMo bound to another prefix inside': inHeader(`<x:label xmlns:x="${MEMO}">a</x:label>`, 'accepted'),
  'the prefix of MeMo bound to another namespace inside': inHeader('<memo:x xmlns:memo="urn:x"/>', 'accepted'),
  'a namespace that looks like MeMo’s': goodWith((xml) => xml.replace(MEMO, MEMO.toLowerCase()), 'not-memo'),
  'a content of another namespace': goodWith(
    (xml) => xml.replace(/<memo:content>([^<]*)<\/memo:content>/, '<x:content xmlns:x="u">$1</x:content>'),
    'accepted',
  ),
  'element called __proto__': inHeader('<__proto__/>', 'forbidden-xml'),
  'element of MeMo called __proto__': inHeader('<memo:__proto__>a</memo:__proto__>', 'forbidden-xml'),
  'element called constructor': inHeader('<constructor><prototype/></constructor>', 'forbidden-xml'),
  'attribute called __proto__': onRoot('__proto__="a"', 'forbidden-xml'),
  'prefix called __proto__': onRoot('xmlns:__proto__="a"', 'forbidden-xml'),
  'element called toString': inHeader('<toString/><hasOwnProperty/><valueOf/>', 'accepted'),
};

export const ENCODINGS: HostileList = {
  'UTF-16': encoded('UTF-16', (xml) => Buffer.from(`\ufeff${xml}`, 'utf16le'), 'not-utf8'),
  'UTF-16 declared as UTF-8': encoded('UTF-8', (xml) => Buffer.from(xml, 'utf16le'), 'not-utf8'),
  'UTF-32': encoded('UTF-32', utf32, 'not-utf8'),
  'UTF-7 by declaration': encoded('UTF-7', (xml) => Buffer.from(xml), 'not-utf8'),
  'ISO 8859-1 by declaration': encoded(
    'ISO-8859-1',
    (xml) => Buffer.from(xml.replace('Emne', 'Spørgsmål'), 'latin1'),
    'not-utf8',
  ),
  'ISO 8859-1 by declaration, all of it ASCII': encoded('ISO-8859-1', (xml) => Buffer.from(xml), 'accepted'),
  'UTF-16 by declaration, but UTF-8': encoded('UTF-16', (xml) => Buffer.from(xml), 'accepted'),
  'ISO 8859-1 declared as UTF-8': bytesInSubject([0xe5], 'not-utf8'),
  'overlong UTF-8 of a less-than sign': bytesInSubject([0xc0, 0xbc], 'not-utf8'),
  'a surrogate in UTF-8': bytesInSubject([0xed, 0xa0, 0x80], 'not-utf8'),
  'a byte beyond UTF-8': bytesInSubject([0xf5, 0x80, 0x80, 0x80], 'not-utf8'),
  'a character cut in half': bytesInSubject([0xe6], 'not-utf8'),
  'a NUL byte': bytesInSubject([0], 'not-utf8'),
  'a NUL reference': subject('&#0;', 'not-xml'),
  'a control character': bytesInSubject([1], 'not-xml'),
  'a reference to a control character': subject('&#x1;', 'not-xml'),
  'a reference to a surrogate': subject('&#xD83D;', 'not-xml'),
  'a reference beyond Unicode': subject('&#x110000;', 'not-xml'),
  'a noncharacter': subject('\uffff', 'not-xml'),
  'two byte order marks': { body: () => `\ufeff\ufeff${good()}`, answer: 'not-xml' },
  'text before the root': prolog('x', 'not-xml'),
  'text after the root': { body: () => `${good()}x`, answer: 'not-xml' },
  'a second declaration': inHeader('<?xml version="1.0"?>', 'not-xml'),
  'a declaration without a version': goodWith((xml) => xml.replace(' version="1.0"', ''), 'not-xml'),
};

export const MARKS: HostileList = {
  'the end of CDATA without its start': subject(']]>', 'not-xml'),
  'CDATA in CDATA': subject('<![CDATA[a<![CDATA[b]]>c]]>', 'not-xml'),
  'CDATA that never ends': subject('<![CDATA[', 'not-xml'),
  'CDATA in lower case': subject('<![cdata[a]]>', 'not-xml'),
  'CDATA outside the root': prolog('<![CDATA[ ]]>', 'not-xml'),
  'CDATA that contains a whole message': goodWith((xml) => xml.replace('Emne', () => `<![CDATA[${xml}]]>`), 'accepted'),
  'a comment that contains a file': inHeader(`<!-- ${file} -->`, 'accepted'),
  'two hyphens in a comment': inHeader('<!-- a -- b -->', 'not-xml'),
  'a comment that never ends': subject('<!-- ', 'not-xml'),
  'an instruction without a name': inHeader('<? a?>', 'not-xml'),
  'an instruction that ends in two question marks': inHeader('<?a ??><memo:x>?></memo:x><?b ?>', 'accepted'),
  'a less-than sign in an attribute': onRoot('a="<"', 'not-xml'),
  'an attribute without quotes': onRoot('a=b', 'not-xml'),
  'an end tag with an attribute': goodWith((xml) => xml.replace('</memo:Sender>', '</memo:Sender a="b">'), 'not-xml'),
  'end tags in the wrong order': inHeader('<a><b></a></b>', 'not-xml'),
  'text that looks like the token of a content': goodWith(
    (xml) => xml.replace('Emne', `file:00000000-0000-4000-8000-000000000000:0`),
    'accepted',
  ),
};

export const BASE64: HostileList = {
  'junk in base64': content('QUJD*QUJD', 'content-not-base64'),
  'a hyphen in base64': content('QUJ-', 'content-not-base64'),
  'an underscore in base64': content('QUJ_', 'content-not-base64'),
  'padding in the middle of base64': content('QQ==QUJD', 'content-not-base64'),
  'three equals signs': content('Q===', 'content-not-base64'),
  'padding only': content('====', 'content-not-base64'),
  'too much padding': content('QUJD=', 'content-not-base64'),
  'base64 one character short': content('QUJDQUI', 'content-not-base64'),
  'base64 one character long': content('QUJDQ', 'content-not-base64'),
  'base64 with a no-break space': content('QUJD\u00a0', 'content-not-base64'),
  'base64 with a NUL': content('QUJD\0', 'content-not-base64'),
  'base64 as a data address': content('data:text/plain;base64,QUJD', 'content-not-base64'),
  'base64 in quotes': content('"QUJD"', 'content-not-base64'),
  'an element in base64': content('QUJD<memo:x/>', 'content-not-base64'),
  'a document type in base64': content('QUJD<!DOCTYPE a>', 'forbidden-xml'),
  'comments in base64': content('Q<!-- QUJD -->U<!-- == -->JD', 'accepted'),
  'CDATA in base64': content('Q<![CDATA[UJ]]>D', 'accepted'),
  'CDATA in base64 with a bracket': content('<![CDATA[QUJD]]]>', 'content-not-base64'),
  'references in base64': content('QU&#73;&#x3d;', 'accepted'),
  'a reference beyond Unicode in base64': content('QUJ&#x110000;', 'content-not-base64'),
  'a reference in base64 that never ends': content(`QUJ&#${'0'.repeat(100)}65;`, 'content-not-base64'),
  'white space throughout base64': content('Q\r\nU\tJ D', 'accepted'),
};
