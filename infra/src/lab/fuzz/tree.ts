import { MEMO_NAMESPACE } from '@indbakke/shared/memo';
import type { Random } from '../random.js';

/** A mutable element. Children: elements, text, and the bytes of a file. */
export interface Tree {
  uri: string;
  local: string;
  attributes: Record<string, string>;
  children: (Tree | string | Buffer)[];
}

const CORE_DATA = 'https://data.gov.dk/model/core/';
const SIZES = [0, 1, 2, 3, 4, 30, 57, 76, 300];
const TEXTS = ['Henvendelse', 'SV: Afgørelse', 'a & b <c>', ' ', '', '\u00a0', 'æøå 😀', ']]> -- \'"', 'x'.repeat(300)];

function memo(local: string, ...children: Tree['children']): Tree {
  return { uri: MEMO_NAMESPACE, local, attributes: {}, children };
}

function core(local: string, ...children: Tree['children']): Tree {
  return { ...memo(local, ...children), uri: CORE_DATA };
}

/** A random valid MeMo. Its CPR numbers are impossible: no month has a 41st day. */
export function anyMessage(chance: Random, recipient: string): Tree {
  const some = (count: number, make: () => Tree) => Array.from({ length: chance.below(count + 1) }, make);
  const text = () => chance.pick(TEXTS);
  const file = () =>
    memo(
      'File',
      memo('encodingFormat', chance.pick(['application/pdf', 'text/plain'])),
      memo('filename', chance.pick(['brev.txt', '../brev.pdf', 'æ.pdf', 'con', 'brev\u202efdp.exe'])),
      memo('language', 'da'),
      memo('content', chance.bytes(chance.pick(SIZES))),
    );
  const document = (local: string) => memo(local, ...some(1, () => memo('label', text())), file(), ...some(1, file));
  const reply = () =>
    memo('ReplyData', memo('messageUUID', chance.uuid()), ...some(1, () => memo('replyUUID', chance.uuid())));
  const header = memo(
    'MessageHeader',
    memo('messageType', 'DIGITALPOST'),
    memo('messageUUID', chance.uuid()),
    memo('label', text()),
    memo('Sender', memo('senderID', '4101019999'), memo('idType', 'CPR'), memo('label', 'Test Testesen')),
    memo('Recipient', memo('recipientID', recipient), memo('idType', 'CVR')),
    ...some(1, () => memo('ContentData', core('CPRdata', core('cprNumber', '4101019999'), core('name', text())))),
    ...some(2, reply),
  );
  const body = memo(
    'MessageBody',
    memo('createdDateTime', '2026-11-02T08:12:00Z'),
    document('MainDocument'),
    ...some(2, () => document('AdditionalDocument')),
    ...some(1, () => document('TechnicalDocument')),
  );
  return { ...memo('Message', header, body), attributes: { memoVersion: chance.pick(['1.1', '1.2']) } };
}

/** All elements, the root first. */
export function elementsOf(tree: Tree): Tree[] {
  const below = tree.children.filter((child): child is Tree => typeof child === 'object' && !Buffer.isBuffer(child));
  return [tree, ...below.flatMap(elementsOf)];
}

const escaped = (text: string) => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
const ASIDES = [
  '<!-- <memo:content>QUJD</memo:content> -->',
  '<!---->',
  "<?note it's <a> & b?>",
  '<!-- æøå > - -->',
  '',
];
const SPACES = ['', ' ', '\n', '\r\n', '\t', '\n\n    '];
// With other encodings than UTF-8 a message may have only ASCII, unless a byte order mark or the bytes say better.
const DECLARATIONS = [
  ...[
    '',
    '',
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    "<?xml version='1.0'?>",
    '<?xml version="1.0" standalone="yes"?>',
  ],
  ...["<?xml version='1.0' encoding='us-ascii'?>\n", '<?xml version="1.0" encoding="ISO-8859-1"?>'],
  ...['<?xml version="1.0" encoding="utf-16"?>\r\n', '<?xml version="1.1" encoding="UTF-8"?>'],
];
const PREFIXES = ['memo', 'a', 'b', 'æ-x', ''];

/** Writes a message in a random form that XML allows: prefixes bound again, CDATA, comments, references, white space. */
export function writeTree(tree: Tree, chance: Random): string {
  const plain = chance.oneIn(3);
  const gap = () => (plain ? '' : chance.pick(SPACES) + (chance.oneIn(5) ? chance.pick(ASIDES) : ''));
  const references = (text: string) =>
    [...text]
      .map((character) => character.codePointAt(0) as number)
      .map((code) => (chance.oneIn(2) ? `&#x${code.toString(16)};` : `&#${code};`))
      .join('');

  const writeText = (text: string): string => {
    if (plain || chance.oneIn(2)) return escaped(text);
    const at = chance.below(text.length + 1);
    const [head, tail] = [text.slice(0, at), text.slice(at)].map((piece) => piece.replace(/[\ud800-\udfff]/g, 'x'));
    return `${writePiece(head ?? '')}${chance.pick(ASIDES)}${writePiece(tail ?? '')}`;
  };
  const writePiece = (piece: string): string => {
    if (chance.oneIn(3) && !piece.includes(']]>')) return `<![CDATA[${piece}]]>`;
    return escaped(piece);
  };
  const writeContent = (bytes: Buffer): string => {
    const base64 = bytes.toString('base64');
    if (plain || chance.oneIn(4)) return base64;
    if (chance.oneIn(3)) return base64.replace(/.{76}/g, `$&${chance.pick([...SPACES, '&#13;\n', '&#xD;&#10;'])}`);
    const at = chance.below(base64.length + 1);
    const [head, tail] = [base64.slice(0, at), base64.slice(at)];
    if (chance.oneIn(3)) return `${head}<![CDATA[${tail}${chance.pick(SPACES)}]]>`;
    if (chance.oneIn(2)) return `${head}${chance.pick(ASIDES)}${chance.pick(SPACES)}${tail}`;
    return head.slice(0, -2) + referencesIn(head.slice(-2)) + tail;
  };
  const referencesIn = (text: string) => (text === '' ? '' : `&#${text.charCodeAt(0)};${text.slice(1)}`);

  const write = (element: Tree, outer: ReadonlyMap<string, string>): string => {
    const scope = new Map(outer);
    const declarations: string[] = [];
    const declare = (prefix: string, uri: string) => {
      if (declarations.some((declaration) => declaration.startsWith(prefix === '' ? 'xmlns=' : `xmlns:${prefix}=`)))
        return;
      scope.set(prefix, uri);
      declarations.push(`xmlns${prefix && `:${prefix}`}="${escaped(uri)}"`);
    };
    if (!plain && chance.oneIn(8)) declare(chance.pick(PREFIXES), chance.pick([element.uri, 'urn:example:other']));
    for (const prefix of plain ? ['memo', 'grd'] : ['a', 'b', 'c']) {
      if (![...scope.values()].includes(element.uri)) declare(prefix, element.uri);
    }
    const prefix = [...scope].find(([, uri]) => uri === element.uri)?.[0] ?? '';
    const name = prefix === '' ? element.local : `${prefix}:${element.local}`;
    const attributes = Object.entries(element.attributes).map(([key, value]) =>
      !plain && chance.oneIn(5) ? `${key}='${references(value)}'` : `${key}="${escaped(value)}"`,
    );
    const inside = element.children
      .map((child) => {
        if (typeof child === 'string') return writeText(child);
        return Buffer.isBuffer(child) ? writeContent(child) : `${gap()}${write(child, scope)}${gap()}`;
      })
      .join('');
    const start = [name, ...declarations, ...attributes].join(plain ? ' ' : chance.pick([' ', '\n  ', '\t']));
    return inside === '' && chance.oneIn(2) ? `<${start}/>` : `<${start}>${inside}</${name}>`;
  };

  const mark = !plain && chance.oneIn(4) ? '\ufeff' : '';
  const declaration = chance.pick(DECLARATIONS);
  return `${mark}${declaration}${write(tree, new Map())}`;
}
