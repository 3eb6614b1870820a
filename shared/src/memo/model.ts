import { Problem } from '../errors/index.js';
import {
  isNil,
  type Place,
  pathOf,
  type Remark,
  type RemarkCode,
  RemarkList,
  trimSpace,
  type XmlElement,
} from '../xml/index.js';
import { file as fileGroup, message as messageGroup } from './elements.js';
import { isContent, isFile, isMessage, MEMO_NAMESPACE } from './namespaces.js';
import type { Field, FileContent, FileFacts, Group, ModelOf, ValueOf } from './table.js';

/**
 * A MeMo message. Names are MeMo's own in camelCase, lists in the plural; text is as written, trimmed ('' for an empty
 * element, no key for a missing one); keys are in the order of MeMo's schema. So equal messages give equal JSON, whatever
 * their prefixes, CDATA, comments and white space between elements.
 */
export interface Memo extends ModelOf<(typeof messageGroup)['fields']> {}
export type MemoFile = ValueOf<typeof fileGroup>;

/**
 * Reads a MeMo 1.1 or 1.2 message, leniently: minor faults become remarks.
 *
 * @param root the Message element (in a SOAP envelope: `findMessage` of its tree).
 * @param files the files that readXml extracted, in its order.
 * @param token the token of each file (XmlDocument).
 * @throws Problem `not-memo` when the root is not a Message, has no MessageHeader, or does not contain exactly these files;
 *   `no-message-uuid`.
 */
export function readMemo(
  root: XmlElement,
  files: readonly FileFacts[],
  token: (fileIndex: number) => string,
): { memo: Memo; remarks: Remark[] } {
  if (!isMessage(root)) throw new Problem('not-memo', notAMessage(root));
  const reader = new Reader(files, token);
  const memo = withMisplacedFiles(
    reader.readGroup(messageGroup, root, { element: root }) as unknown as Memo,
    root,
    reader,
  );
  reader.expectAllFiles();
  remarkOnValues(memo, reader.remarks);
  return { memo, remarks: reader.remarks.all() };
}

/** Namespaces are equal only character by character (Namespaces in XML 1.0, 2.3). */
function notAMessage({ local }: XmlElement): string {
  if (local === 'Message') return `The namespace of the Message is not that of MeMo, ${MEMO_NAMESPACE}.`;
  return 'The root element is not a MeMo Message.';
}

type Read = Record<string, unknown>;

/** Reads elements by the table: which, where and how often. Values are checked later. */
class Reader {
  readonly remarks = new RemarkList();
  private readonly files: readonly FileFacts[];
  private readonly tokens: ReadonlyMap<string, number>;
  private readonly taken = new Set<number>();

  constructor(files: readonly FileFacts[], token: (fileIndex: number) => string) {
    this.files = files;
    this.tokens = new Map(files.map((_, index) => [token(index), index]));
  }

  readGroup(group: Group, element: XmlElement, place: Place): Read {
    const found = this.childrenByField(group, element, place);
    const read: Read = {};
    for (const [key, field] of layoutOf(group).fields) {
      const values = field.attribute
        ? attributeValues(field.attribute, element)
        : (found.get(key) ?? []).map((child) => this.readValue(field, child, place));
      if (field.cardinality === 'list') read[key] = values;
      else if (values.length > 0) read[key] = values[0];
      if (field.problem !== undefined && isMissing(read[key])) throw missing(field.problem, key, field, place);
    }
    return read;
  }

  /** Reads a content that has no place in the table, with the other fields of its File. */
  readMisplaced(file: XmlElement, content: XmlElement, place: Place): MemoFile {
    const others = file.children.filter((child) => !isContent(child));
    return this.readGroup(fileGroup, { ...file, children: [...others, content] }, place) as unknown as MemoFile;
  }

  isTaken(content: XmlElement): boolean {
    return this.taken.has(this.tokens.get(content.text) ?? -1);
  }

  get allTaken(): boolean {
    return this.taken.size === this.files.length;
  }

  /** Every extracted file must be in the message. */
  expectAllFiles(): void {
    if (this.allTaken) return;
    throw new Problem('not-memo', 'A File is outside the Message, or its content is ambiguous.');
  }

  /** The children that the table knows; of a field that is not a list only the first. */
  private childrenByField(group: Group, element: XmlElement, place: Place): Map<string, XmlElement[]> {
    const found = new Map<string, XmlElement[]>();
    const { slots } = layoutOf(group);
    let last = 0;
    if (element.text !== '') this.remarks.add('unexpected-text', place);
    for (const child of element.children) {
      const slot = slots.get(child.local);
      if (slot?.uri !== child.uri) {
        this.remarks.add('unknown-element', { element: child, parent: place });
        continue;
      }
      if (slot.at < last) this.remarks.add('wrong-order', { element: child, parent: place });
      last = Math.max(last, slot.at);
      if (isNil(child)) {
        if (this.takeNothing(child)) continue;
        this.remarks.add('nil-with-value', { element: child, parent: place });
      }
      const before = found.get(slot.key);
      if (before === undefined) found.set(slot.key, [child]);
      else if (slot.single) this.remarks.add('repeated-element', { element: child, parent: place });
      else before.push(child);
    }
    return found;
  }

  /** Whether an element that is nil has no value indeed; then it counts as absent. */
  private takeNothing({ text, children }: XmlElement): boolean {
    if (children.length > 0) return false;
    const index = this.tokens.get(text) ?? -1;
    if (this.files[index]?.size === 0) this.taken.add(index);
    return text === '' || this.files[index]?.size === 0;
  }

  private readValue(field: Field, element: XmlElement, parent: Place): unknown {
    const place = { element, parent };
    if (field.type.kind === 'group') return this.readGroup(field.type, element, place);
    for (const child of element.children) this.remarks.add('unknown-element', { element: child, parent: place });
    return field.type.kind === 'content' ? this.readContent(element, place) : trimSpace(element.text);
  }

  private readContent(element: XmlElement, place: Place): FileContent {
    const index = this.tokens.get(element.text);
    const facts = index === undefined ? undefined : this.files[index];
    if (index === undefined || facts === undefined || this.taken.has(index)) {
      const path = pathOf(place);
      throw new Problem('not-memo', 'The content of a file is ambiguous.', { path });
    }
    this.taken.add(index);
    const { sha256, size, detectedFormat } = facts;
    return { index, sha256, size, ...(detectedFormat !== undefined && { detectedFormat }) };
  }
}

/** Keeps files in places that the table does not know, such as a second MainDocument: each becomes an additional document. */
function withMisplacedFiles(memo: Memo, root: XmlElement, reader: Reader): Memo {
  if (reader.allTaken) return memo;
  const documents: { files: MemoFile[]; actions: [] }[] = [];
  for (const place of filesBelow({ element: root })) {
    const file = place.element;
    for (const content of file.children.filter((child) => isContent(child) && !reader.isTaken(child))) {
      documents.push({ files: [reader.readMisplaced(file, content, place)], actions: [] });
      reader.remarks.add('misplaced-file', place);
    }
  }
  const { additionalDocuments = [], technicalDocuments = [], ...body } = memo.body ?? {};
  return {
    ...memo,
    body: { ...body, additionalDocuments: [...additionalDocuments, ...documents], technicalDocuments },
  };
}

function* filesBelow(place: Place): Generator<Place> {
  if (isFile(place.element)) yield place;
  for (const child of place.element.children) yield* filesBelow({ element: child, parent: place });
}

/** The field of a group that a child element belongs to. */
interface Slot {
  readonly uri: string;
  readonly key: string;
  /** Its place in the schema's order. */
  readonly at: number;
  readonly single: boolean;
}

interface Layout {
  readonly fields: readonly (readonly [string, Field])[];
  readonly slots: ReadonlyMap<string, Slot>;
}

const layouts = new WeakMap<Group, Layout>();

function layoutOf(group: Group): Layout {
  const known = layouts.get(group);
  if (known) return known;
  const fields = Object.entries(group.fields);
  const slots = new Map<string, Slot>();
  for (const [at, [key, field]] of fields.entries()) {
    const uri = field.type.kind === 'group' ? field.type.uri : group.uri;
    if (!field.attribute) slots.set(localNameOf(key, field), { uri, key, at, single: field.cardinality !== 'list' });
  }
  const layout = { fields, slots };
  layouts.set(group, layout);
  return layout;
}

function localNameOf(key: string, field: Field): string {
  return field.type.kind === 'group' ? field.type.local : key;
}

/** MeMo's attributes are in no namespace. */
function attributeValues(name: string, element: XmlElement): string[] {
  return element.attributes
    .filter(({ uri, local }) => uri === '' && local === name)
    .map(({ value }) => trimSpace(value));
}

function isMissing(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && value.trim() === '');
}

function missing(code: NonNullable<Field['problem']>, key: string, field: Field, place: Place): Problem {
  const at = `${pathOf(place)}/${localNameOf(key, field)}`;
  return new Problem(code, `${at} is missing or empty.`, { path: at });
}

/** A path in the model, made into text only for a remark. */
interface Trail {
  readonly parent?: Trail;
  readonly step: string;
}

function textOf({ parent, step }: Trail): string {
  return parent ? `${textOf(parent)}/${step}` : step;
}

/** Remarks on presence, number and values, as the version of the message has them. */
function remarkOnValues(memo: Memo, remarks: RemarkList): void {
  const version = memo.version === '1.1' ? '1.1' : '1.2';
  remarkOnGroup(messageGroup, memo as unknown as Read, { step: 'Message' });

  function remarkOnGroup(of: Group, group: Read, parent: Trail): void {
    for (const [key, field] of layoutOf(of).fields) {
      const values = field.cardinality === 'list' ? (group[key] as unknown[]) : [group[key]].filter(isPresent);
      const code = remarkOnNumber(values.length, field);
      if (code) remarks.add(code, textOf({ parent, step: stepOf(key, field) }));
      for (const [index, value] of values.entries()) remarkOnValue(field, key, value, index, parent);
    }
    for (const { field, code, holds } of of.rules) {
      if (!holds(group)) remarks.add(code, textOf({ parent, step: stepOf(field, of.fields[field] as Field) }));
    }
  }

  function remarkOnNumber(count: number, { presence, cardinality, max }: Field): RemarkCode | undefined {
    if (count > 0 && presence[version] === 'absent') return 'unknown-element';
    if (count === 0 && presence[version] === 'required') return 'missing-element';
    return cardinality === 'list' && count > max ? 'repeated-element' : undefined;
  }

  function remarkOnValue(field: Field, key: string, value: unknown, index: number, parent: Trail): void {
    const step = index === 0 ? stepOf(key, field) : `${stepOf(key, field)}[${index + 1}]`;
    if (field.type.kind === 'group') remarkOnGroup(field.type, value as Read, { parent, step });
    if (field.type.kind === 'content' && (value as FileContent).size === 0) {
      remarks.add('empty-element', textOf({ parent, step }));
    }
    if (field.type.kind !== 'leaf') return;
    for (const [code, holds] of field.type.checks) {
      if (!holds(value as string)) remarks.add(code, textOf({ parent, step }));
    }
  }
}

function isPresent(value: unknown): boolean {
  return value !== undefined;
}

function stepOf(key: string, field: Field): string {
  return field.attribute ? `@${field.attribute}` : localNameOf(key, field);
}
