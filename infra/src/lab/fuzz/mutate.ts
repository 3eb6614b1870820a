import type { Random } from '../random.js';
import { elementsOf, type Tree } from './tree.js';

const SCHEMA_INSTANCE = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';

// What parsers fail on: markup in odd places, characters that XML forbids, base64url.
const PIECES: readonly (string | Buffer)[] = [
  ...['<', '>', '&', '"', "'", '=', '==', '/', '/>', '</', ':', ';', '-', '_', '--', ']]>', ']]', '\0', '\x01', '\x7f'],
  ...[
    '&#0;',
    '&#1;',
    '&#9;',
    '&#13;',
    '&#xD800;',
    '&#xFFFE;',
    '&#x10FFFF;',
    '&#x110000;',
    '&amp;',
    '&nbsp;',
    '&#65',
    '&#x;',
  ],
  ...[
    '<![CDATA[',
    '<![CDATA[]]>',
    '<!--',
    '-->',
    '<!-->',
    '<!--->',
    '--->',
    '<!DOCTYPE a>',
    '<?',
    '?>',
    '<?a?>',
    '<??>',
  ],
  ...[` ${SCHEMA_INSTANCE} xsi:nil="true"`, ` ${SCHEMA_INSTANCE} xsi:nil="1" xsi:type="a"`, '&#13;\n', '&#xD;&#xA;'],
  ...['<?xml version="1.0"?>', '<?XML a?>', '<?a:b c?>', '<?xml-stylesheet a?>', '<?a', ' encoding="latin1"'],
  ...[
    ' encoding="us-ascii"',
    " encoding = 'iso-8859-1'",
    ' encoding="utf-16"',
    ' encoding="x"',
    'ISO-8859-1',
    'utf-16',
  ],
  ...[
    ' standalone="maybe"',
    ' version="1.1"',
    ' xmlns=""',
    ' xmlns:a=""',
    ' xmlns:xml="urn:x"',
    ' xmlns:xmlns="urn:x"',
  ],
  ...[' xmlns="http://www.w3.org/XML/1998/namespace"', ' xmlns:q="http://www.w3.org/2000/xmlns/"', ' a="1" a="2"'],
  ...[' xmlns:p="urn:x" xmlns:q="urn:x" p:a="1" q:a="2"', ' xml:space="preserve"', ' a="<"', ' a="&lt;"', ' a', ' a=1'],
  ...[
    '<a/>',
    '<a></a>',
    '<a:b:c/>',
    '<:a/>',
    '<1/>',
    '<-a/>',
    '<a.b/>',
    '<__proto__/>',
    '<constructor/>',
    '<toString/>',
  ],
  ...[
    '\r',
    '\r\n',
    '\t',
    '\u0085',
    '\u2028',
    '\u00a0',
    '\ufeff',
    '\ufffe',
    '\uffff',
    '\u{1f600}',
    '<\u{10000}/>',
    '\u202e',
  ],
  ...[[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5], [0x80], [0xff], [0xe6]].map((bytes) => Buffer.from(bytes)),
];

/** Makes one to three changes to the bytes of a message. */
export function mutateBytes(message: Buffer, chance: Random): Buffer {
  let bytes = message;
  for (let count = 1 + chance.below(3); count > 0; count -= 1) bytes = mutateOnce(bytes, chance);
  return bytes;
}

function mutateOnce(bytes: Buffer, chance: Random): Buffer {
  const at = position(bytes, chance);
  const end = Math.min(bytes.length, at + 1 + chance.below(chance.pick([1, 4, 40, 400])));
  const [head, middle, tail] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
  switch (chance.below(10)) {
    case 0:
      return Buffer.concat([head, tail]);
    case 1:
      return Buffer.concat([head, middle, middle, tail]);
    case 2:
      return chance.oneIn(4) ? head : Buffer.concat([head, middle.reverse(), tail]);
    case 3: {
      const flipped = Buffer.from(bytes);
      if (at < flipped.length) flipped[at] = (flipped[at] as number) ^ (1 << chance.below(8));
      return flipped;
    }
    case 4: {
      const to = position(bytes, chance);
      return Buffer.concat([bytes.subarray(0, to), middle, bytes.subarray(to)]);
    }
    default:
      return Buffer.concat([head, Buffer.from(chance.pick(PIECES)), chance.oneIn(3) ? tail : bytes.subarray(at)]);
  }
}

/** Half of the time at a piece of markup. */
function position(bytes: Buffer, chance: Random): number {
  const any = chance.below(bytes.length + 1);
  if (chance.oneIn(2)) return any;
  const mark = bytes.indexOf(chance.pick(['<', '>', '"', '=', ':', 'content', '</', '&', '<!', '?']), any);
  return mark < 0 ? any : Math.min(bytes.length, mark + chance.below(3));
}

const NAMES = ['content', 'File', 'Message', 'MessageHeader', 'MainDocument', 'label', '_', 'toString', '__proto__'];
const ODD_TEXTS = ['', ' ', '\u00a0', '\n', 'QUJD', '=', 'QQ==', 'Q Q = =', '-_8=', '\u2028', 'x'.repeat(3_000), '🎉'];
const URIS = ['', 'urn:example:other', 'https://data.gov.dk/model/core/', 'http://www.w3.org/XML/1998/namespace'];

/** Makes one to three changes to the elements of a message, which mostly stays well-formed. */
export function mutateTree(tree: Tree, chance: Random): void {
  for (let count = 1 + chance.below(3); count > 0; count -= 1) changeOnce(tree, chance);
}

function changeOnce(tree: Tree, chance: Random): void {
  const all = elementsOf(tree);
  const element = chance.pick(all);
  const at = chance.below(element.children.length + 1);
  const other = copyOf(chance.pick(all));
  switch (chance.below(13)) {
    case 0:
      element.children.splice(at, 1);
      break;
    case 1:
      element.children.splice(at, 0, other);
      break;
    case 2:
      element.children.reverse();
      break;
    case 3:
      element.local = chance.pick(NAMES);
      break;
    case 4:
      element.uri = chance.pick(URIS);
      break;
    case 5:
      element.children = [{ ...element, children: element.children, attributes: {} }];
      break;
    case 6:
      element.children.splice(at, 0, chance.pick(ODD_TEXTS));
      break;
    case 7:
      element.attributes[chance.pick(['memoVersion', 'a', 'xml:lang', 'xmlns:z', 'memoSchVersion', 'z:a'])] =
        chance.pick(['1.2', '', ' 1.1\n', 'urn:z', 'æ']);
      break;
    case 8:
      element.children.splice(at, 0, chance.bytes(chance.below(10)));
      break;
    case 9:
      element.children.splice(at, 0, nested(chance.below(chance.oneIn(10) ? 70 : 5), chance));
      break;
    case 10:
    case 11:
      spoilContent(chance.pick(all.filter(({ local }) => local === 'content').concat(element)), chance);
      break;
    default:
      element.children.splice(
        at,
        0,
        ...Array.from({ length: chance.below(chance.oneIn(30) ? 150 : 4) }, () => copyOf(other)),
      );
  }
}

const ODD_BASE64 = ['-', '_', '-_', '=', '==', 'Q', 'QQ', 'QQ=', ' ', '\u00a0', '*', '.', '%3D', '+/', '🎉', 'é'];

/** Writes the bytes of a content as text with something odd in it, valid or not. */
function spoilContent(element: Tree, chance: Random): void {
  element.children = element.children.map((child) => {
    if (!Buffer.isBuffer(child)) return child;
    if (chance.oneIn(3)) return child.toString('base64url');
    const base64 = child.toString('base64');
    const odd = chance.pick(ODD_BASE64);
    const at = chance.below(base64.length + 1);
    return base64.slice(0, at) + odd + base64.slice(at + (chance.oneIn(3) ? 0 : odd.length));
  });
}

function nested(depth: number, chance: Random): Tree {
  const element: Tree = { uri: chance.pick(URIS), local: chance.pick(NAMES), attributes: {}, children: [] };
  if (depth > 0) element.children.push(nested(depth - 1, chance));
  return element;
}

/** A deep copy, except for buffers, which are never changed. */
function copyOf(tree: Tree): Tree {
  const children = tree.children.map((child) =>
    typeof child === 'string' || Buffer.isBuffer(child) ? child : copyOf(child),
  );
  return { ...tree, attributes: { ...tree.attributes }, children };
}
