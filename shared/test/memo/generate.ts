import fc from 'fast-check';
import { MEMO_NAMESPACE } from '../../src/memo/index.js';

/**
 * Generates MeMo messages for tests. `memoTree` builds a message from a spec, `writePlain` writes it in the usual form,
 * `writeWild` in any form that XML allows. All people and numbers are impossible: CPR numbers have the day 32 or later.
 */

export const CORE_DATA = 'https://data.gov.dk/model/core/';

export interface Xml {
  readonly uri: string;
  readonly local: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly children: readonly (Xml | string | Uint8Array)[];
}

export interface FileSpec {
  readonly filename: string;
  readonly encodingFormat?: string;
  readonly bytes: Uint8Array;
}

export interface MemoSpec {
  readonly version?: '1.1' | '1.2';
  readonly messageType?: string;
  readonly messageUUID?: string;
  readonly label?: string;
  readonly senderID?: string;
  readonly senderLabel?: string;
  readonly recipientID?: string;
  readonly contactPointID?: string;
  readonly contactInfo?: readonly (readonly [label: string, value: string])[];
  /** ContentData/CPRdata: the person that the message concerns. */
  readonly concerns?: string;
  readonly forwardOf?: string;
  readonly replies?: readonly Readonly<Record<string, string>>[];
  readonly createdDateTime?: string;
  readonly mainFiles?: readonly FileSpec[];
  /** The files of each additional document. */
  readonly additional?: readonly (readonly FileSpec[])[];
  readonly technical?: readonly (readonly FileSpec[])[];
}

const HELLO: FileSpec = { filename: 'brev.txt', encodingFormat: 'text/plain', bytes: Buffer.from('Kære kommune\n') };

/** An element of MeMo's own namespace; undefined children are left out. */
export function memo(local: string, ...children: (Xml | string | Uint8Array | undefined)[]): Xml {
  return { uri: MEMO_NAMESPACE, local, children: children.filter((child) => child !== undefined) };
}

/** A message, valid unless the spec is not. */
export function memoTree(spec: MemoSpec = {}): Xml {
  const version = spec.version ?? '1.2';
  const attributes = { memoVersion: version, ...(version === '1.1' && { memoSchVersion: '1.1.0' }) };
  return { ...memo('Message', header(spec, version), body(spec)), attributes };
}

function header(spec: MemoSpec, version: string): Xml {
  return memo(
    'MessageHeader',
    memo('messageType', spec.messageType ?? 'DIGITALPOST'),
    memo('messageUUID', spec.messageUUID ?? '5a0f4c2e-7d1b-4e83-9c56-0b1d2e3f4a5b'),
    memo('label', spec.label ?? 'Svar på brev'),
    ...(version === '1.1' ? [memo('mandatory', 'false'), memo('legalNotification', 'false')] : []),
    memo(
      'Sender',
      memo('senderID', spec.senderID ?? '3213999999'),
      memo('idType', 'CPR'),
      memo('label', spec.senderLabel ?? 'Test Testesen'),
    ),
    memo(
      'Recipient',
      memo('recipientID', spec.recipientID ?? '22222222'),
      memo('idType', 'CVR'),
      spec.contactPointID === undefined ? undefined : contactPoint(spec.contactPointID, spec.contactInfo ?? []),
    ),
    spec.concerns === undefined ? undefined : concerns(spec.concerns),
    spec.forwardOf === undefined ? undefined : forward(spec.forwardOf),
    ...(spec.replies ?? []).map((reply) =>
      memo('ReplyData', ...Object.entries(reply).map(([local, text]) => memo(local, text))),
    ),
  );
}

function contactPoint(id: string, info: readonly (readonly [string, string])[]): Xml {
  const pairs = info.map(([label, value]) => memo('ContactInfo', memo('label', label), memo('value', value)));
  return memo('ContactPoint', memo('contactPointID', id), memo('label', 'Børn og unge'), ...pairs);
}

function concerns(cpr: string): Xml {
  const number: Xml = { uri: CORE_DATA, local: 'cprNumber', children: [cpr] };
  return memo('ContentData', { uri: CORE_DATA, local: 'CPRdata', children: [number] });
}

function forward(messageUUID: string): Xml {
  return memo(
    'ForwardData',
    memo('messageUUID', messageUUID),
    memo('originalMessageDateTime', '2026-02-03T10:00:00Z'),
    memo('originalSender', 'Prøve Prøvesen'),
  );
}

function body(spec: MemoSpec): Xml {
  return memo(
    'MessageBody',
    memo('createdDateTime', spec.createdDateTime ?? '2026-03-04T08:30:00Z'),
    memo('MainDocument', ...(spec.mainFiles ?? [HELLO]).map(fileElement)),
    ...(spec.additional ?? []).map((files) => memo('AdditionalDocument', ...files.map(fileElement))),
    ...(spec.technical ?? []).map((files) => memo('TechnicalDocument', ...files.map(fileElement))),
  );
}

export function fileElement(file: FileSpec): Xml {
  return memo(
    'File',
    memo('encodingFormat', file.encodingFormat ?? 'application/pdf'),
    memo('filename', file.filename),
    memo('language', 'da'),
    memo('content', file.bytes),
  );
}

/** All files of a tree, in document order. */
export function filesIn(tree: Xml): Uint8Array[] {
  return tree.children.flatMap((child) => {
    if (typeof child === 'string') return [];
    return child instanceof Uint8Array ? [child] : filesIn(child);
  });
}

export const escaped = (text: string): string => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);

const PREFIXES = new Map([
  [MEMO_NAMESPACE, 'memo'],
  [CORE_DATA, 'grd'],
]);

/** The usual form: one prefix for each namespace, declared on the root. */
export function writePlain(tree: Xml): string {
  const declarations = [...PREFIXES].map(([uri, prefix]) => ` xmlns:${prefix}="${uri}"`).join('');
  const write = (element: Xml, more: string): string => {
    const name = `${PREFIXES.get(element.uri) ?? 'memo'}:${element.local}`;
    const attributes = Object.entries(element.attributes ?? {}).map(([key, value]) => ` ${key}="${value}"`);
    const children = element.children.map((child) => {
      if (typeof child === 'string') return escaped(child);
      return child instanceof Uint8Array ? Buffer.from(child).toString('base64') : write(child, '');
    });
    return `<${name}${more}${attributes.join('')}>${children.join('')}</${name}>`;
  };
  return `<?xml version="1.0" encoding="UTF-8"?>${write(tree, declarations)}`;
}

/** A message in the usual form. */
export function memoXml(spec: MemoSpec = {}): string {
  return writePlain(memoTree(spec));
}

/**
 * The same message in any form that XML allows: any prefixes, rebound inside, the default namespace, CDATA, comments,
 * processing instructions, character references, white space, a byte order mark. The seed decides which.
 */
export function writeWild(tree: Xml, seed: number): string {
  return new WildWriter(seed).document(tree);
}

const ASIDES = [
  '<!-- <memo:content>QUJD</memo:content> -->',
  '<!---->',
  '<!--> </a> -->',
  "<?note it's <a> & b?>",
  '<!-- æøå > - -->',
  '',
];
const SPACES = ['', ' ', '\n', '\r\n', '\t', '\n\n    '];

class WildWriter {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0 || 1;
  }

  document(tree: Xml): string {
    const mark = this.chance(3) ? '\ufeff' : '';
    const declaration = this.pick(['', '<?xml version="1.0"?>', "<?xml version='1.0' encoding='utf-8' ?>"]);
    return `${mark}${declaration}${this.gap()}${this.element(tree, new Map())}${this.gap()}`;
  }

  private element(element: Xml, outer: ReadonlyMap<string, string>): string {
    const scope = new Map(outer);
    const declarations: string[] = [];
    const declare = (prefix: string, uri: string) => {
      if (declarations.some((written) => written.startsWith(prefix === '' ? 'xmlns=' : `xmlns:${prefix}=`))) return;
      scope.set(prefix, uri);
      declarations.push(`xmlns${prefix === '' ? '' : `:${prefix}`}=${this.quoted(uri)}`);
    };
    // A prefix bound to MeMo outside may be bound to something else in here, and vice versa.
    if (this.chance(6)) declare(this.prefix(), 'urn:example:other');
    if (this.chance(4)) declare(this.prefix(), element.uri);
    let known = [...scope].filter(([, uri]) => uri === element.uri).map(([prefix]) => prefix);
    if (known.length === 0) {
      for (const prefix of ['a', 'b', 'c', 'd']) if (known.length === 0) declare(prefix, element.uri);
      known = [...scope].filter(([, uri]) => uri === element.uri).map(([prefix]) => prefix);
    }
    const prefix = this.pick(known);
    const name = prefix === '' ? element.local : `${prefix}:${element.local}`;
    const attributes = Object.entries(element.attributes ?? {}).map(([key, value]) => `${key}=${this.quoted(value)}`);
    const inside = element.children.map((child) => this.child(child, scope)).join('');
    const start = [name, ...this.shuffled([...declarations, ...attributes])].join(this.pick([' ', '\n  ', '\t']));
    if (inside === '' && this.chance(2)) return `<${start}${this.pick(['', ' '])}/>`;
    return `<${start}${this.pick(['', ' ', '\n'])}>${inside}</${name}${this.pick(['', ' '])}>`;
  }

  private child(child: Xml | string | Uint8Array, scope: ReadonlyMap<string, string>): string {
    if (typeof child === 'string') return this.text(child);
    if (child instanceof Uint8Array) return this.content(child);
    return `${this.gap()}${this.element(child, scope)}${this.gap()}`;
  }

  private text(text: string): string {
    if (text === '' || this.chance(2)) return escaped(text);
    return this.pieces(text, 8)
      .map((piece) => this.textPiece(piece))
      .join('');
  }

  private textPiece(piece: string): string {
    if (this.chance(3) && !piece.includes(']]>')) return `<![CDATA[${piece}]]>`;
    if (this.chance(3)) return `${escaped(piece)}${this.pick(ASIDES)}`;
    return this.chance(3) ? this.references(piece) : escaped(piece);
  }

  private content(bytes: Uint8Array): string {
    const base64 = Buffer.from(bytes).toString('base64');
    if (this.chance(4)) return base64;
    if (this.chance(4)) return base64.replace(/.{76}/g, `$&${this.pick(['\n', '\r\n'])}`);
    return this.pieces(base64, 200)
      .map((piece) => this.contentPiece(piece))
      .join('');
  }

  private contentPiece(piece: string): string {
    const form = this.below(6);
    if (form === 0) return `<![CDATA[${piece}${this.pick(SPACES)}]]>`;
    if (form === 1) return `${this.pick(ASIDES)}${piece}`;
    if (form === 2) return this.references(piece.slice(0, 5)) + piece.slice(5);
    if (form === 3) return `${this.pick(SPACES)}${piece}`;
    return piece;
  }

  private references(text: string): string {
    return [...text]
      .map((character) => {
        const code = character.codePointAt(0) as number;
        return this.chance(2) ? `&#${code};` : `&#x${this.pick(['', '00'])}${code.toString(16)};`;
      })
      .join('');
  }

  private pieces(text: string, max: number): string[] {
    const pieces: string[] = [];
    const characters = [...text];
    for (let at = 0; at < characters.length; ) {
      const end = at + 1 + this.below(max);
      pieces.push(characters.slice(at, end).join(''));
      at = end;
    }
    return pieces;
  }

  private quoted(value: string): string {
    const written = this.chance(5) ? this.references(value) : escaped(value);
    return this.chance(2) ? `"${written}"` : `'${written}'`;
  }

  private gap(): string {
    return this.pick(SPACES) + (this.chance(5) ? this.pick(ASIDES) : '') + this.pick(SPACES);
  }

  private prefix(): string {
    return this.pick(['', 'memo', 'a', 'b', 'æ-x']);
  }

  private shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => [this.next(), item] as const)
      .sort(([a], [b]) => a - b)
      .map(([, item]) => item);
  }

  private pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  private chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }

  private below(limit: number): number {
    return this.next() % limit;
  }

  /** Xorshift, 32 bits: repeatable, unlike Math.random. */
  private next(): number {
    this.state ^= this.state << 13;
    this.state >>>= 0;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    this.state >>>= 0;
    return this.state;
  }
}

/** Text as people write it, and characters that XML must escape. */
export const anyText = (maxLength = 30) =>
  fc.string({
    unit: fc.constantFrom(...'abc ÆØÅæøå<>&"\'-]!?/:=0129'.split(''), '€', '&amp;', ']]>', '--'),
    minLength: 1,
    maxLength,
  });

export const anyUuid = fc.uuid({ version: 4 });

/** Specs of messages of every kind, each file up to this many bytes. */
export const anyMemo = (maxFileBytes = 40): fc.Arbitrary<MemoSpec> => {
  const file = fc.record({
    filename: anyText(12),
    bytes: fc.uint8Array({ maxLength: maxFileBytes }),
  });
  const files = fc.array(file, { minLength: 1, maxLength: 2 });
  return fc.record(
    {
      version: fc.constantFrom('1.1', '1.2'),
      messageUUID: anyUuid,
      label: anyText(),
      contactPointID: anyUuid,
      contactInfo: fc.array(fc.tuple(anyText(10), anyText(10)), { maxLength: 2 }),
      concerns: fc.constantFrom('3213999999', '9999999999'),
      forwardOf: anyUuid,
      replies: fc.array(fc.record({ messageUUID: anyUuid, caseID: anyText(8) }), { maxLength: 2 }),
      mainFiles: files,
      additional: fc.array(files, { maxLength: 2 }),
      technical: fc.array(files, { maxLength: 1 }),
    },
    { requiredKeys: ['mainFiles'] },
  );
};
