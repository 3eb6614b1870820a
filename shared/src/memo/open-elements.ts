import { Problem } from '../errors/index.js';
import { isMessage } from './namespaces.js';
import { SiblingSteps } from './paths.js';
import { checkReferences, resolveReferences, type StartTag } from './tag.js';

/** An element that has begun and not ended, with the namespaces that hold inside it. */
export interface OpenElement {
  /** As written, prefix and all: the end tag must say the same. */
  readonly name: string;
  readonly uri: string;
  readonly local: string;
  readonly bindings: Bindings;
  readonly step: string;
  readonly children: SiblingSteps;
}

/** Prefix to URI; the default namespace has the prefix ''. */
type Bindings = ReadonlyMap<string, string>;

// Namespaces in XML 1.0, §3: bound for good, to this prefix only.
const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';
const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/';
const FIRST_BINDINGS: Bindings = new Map([['xml', XML_NAMESPACE]]);
/** The parser of the skeleton walks every binding in scope at each end tag. A MeMo message has about 12. */
const MAX_BINDINGS = 100;
/** Each element costs some hundred bytes in the parsed tree; a long MeMo message has some hundred elements. */
const MAX_ELEMENTS = 20_000;
/** Names that a JavaScript object has of itself. */
const RESERVED_NAMES = new Set(['__proto__', 'constructor', 'prototype']);

/** The stack of open elements: resolves prefixes, knows the path, holds the limits on depth and number. */
export class OpenElements {
  private readonly stack: OpenElement[] = [];
  private readonly maxDepth: number;
  private readonly rootSteps = new SiblingSteps();
  private count = 0;

  constructor(maxDepth: number) {
    this.maxDepth = maxDepth;
  }

  get depth(): number {
    return this.stack.length;
  }

  get rootSeen(): boolean {
    return this.count > 0;
  }

  get innermost(): OpenElement | undefined {
    return this.stack.at(-1);
  }

  /** Path of the innermost open element, from the MeMo message on when there is one. */
  get path(): string {
    const from = Math.max(0, this.stack.findIndex(isMessage));
    return this.stack
      .slice(from)
      .map((element) => element.step)
      .join('/');
  }

  get insideMessage(): boolean {
    return this.stack.some(isMessage);
  }

  /**
   * Opens the element of a start tag.
   * @throws Problem `not-xml` for an unbound prefix, `forbidden-xml` for a reserved name, `not-memo` or
   *   `skeleton-too-large` over a limit.
   */
  open(tag: StartTag): OpenElement {
    const parent = this.innermost;
    const bindings = this.bind(tag, parent?.bindings ?? FIRST_BINDINGS);
    const { prefix, local } = this.splitName(tag.name);
    const element: OpenElement = {
      name: tag.name,
      uri: this.uriOf(prefix, bindings),
      local,
      bindings,
      step: (parent?.children ?? this.rootSteps).next(local),
      children: new SiblingSteps(),
    };
    this.push(element);
    return element;
  }

  /** Closes the innermost element, which the end tag must name. */
  close(name: string): OpenElement {
    const element = this.innermost;
    if (element?.name !== name) {
      throw new Problem('not-xml', 'An end tag does not fit the element that is open.', { path: this.path });
    }
    this.stack.pop();
    return element;
  }

  private push(element: OpenElement): void {
    this.stack.push(element);
    this.count += 1;
    if (this.stack.length > this.maxDepth) {
      throw new Problem('not-memo', `The elements are nested deeper than ${this.maxDepth}, the limit.`);
    }
    if (this.count > MAX_ELEMENTS) {
      throw new Problem('skeleton-too-large', `The message has more than ${MAX_ELEMENTS} elements, the limit.`);
    }
  }

  /** The bindings inside an element, and a check of its attributes' names on the way. */
  private bind(tag: StartTag, outer: Bindings): Bindings {
    const declared: [prefix: string, uri: string][] = [];
    const prefixed: { prefix: string; local: string }[] = [];
    for (const [name, value] of tag.attributes) {
      checkReferences(value, () => this.path);
      const { prefix, local } = this.splitName(name);
      if (name === 'xmlns') declared.push(['', resolveReferences(value)]);
      else if (prefix === 'xmlns') declared.push([local, resolveReferences(value)]);
      else if (prefix !== '') prefixed.push({ prefix, local });
    }
    if (!declared.every(mayBeDeclared)) {
      throw new Problem('not-xml', 'A namespace declaration is not one that XML allows.', { path: this.path });
    }
    const bindings = declared.length === 0 ? outer : new Map([...outer, ...declared]);
    if (bindings.size > MAX_BINDINGS) {
      throw new Problem('not-memo', `More than ${MAX_BINDINGS} namespace prefixes are declared, the limit.`);
    }
    const names = prefixed.map(({ prefix, local }) => `${this.uriOf(prefix, bindings)} ${local}`);
    // Namespaces in XML 1.0, §6.3
    if (new Set(names).size < names.length) {
      throw new Problem('not-xml', 'An attribute stands twice, under two prefixes of one namespace.', {
        path: this.path,
      });
    }
    return bindings;
  }

  private splitName(name: string): { prefix: string; local: string } {
    const parts = name.split(':');
    if (parts.length > 2 || parts.includes('')) {
      throw new Problem('not-xml', 'A name has a colon in the wrong place.', { path: this.path });
    }
    const forbidden = parts.find((part) => RESERVED_NAMES.has(part));
    if (forbidden !== undefined) {
      throw new Problem('forbidden-xml', `The name ${forbidden} is not allowed for an element, attribute or prefix.`, {
        path: this.path,
      });
    }
    const local = parts.at(-1) as string;
    return { prefix: parts.length === 2 ? (parts[0] as string) : '', local };
  }

  private uriOf(prefix: string, bindings: Bindings): string {
    const uri = bindings.get(prefix) ?? '';
    if (uri === '' && prefix !== '') {
      throw new Problem('not-xml', 'A namespace prefix is used that is not declared.', { path: this.path });
    }
    return uri;
  }
}

/** Namespaces in XML 1.0, §2.2 and §3. */
function mayBeDeclared([prefix, uri]: readonly [prefix: string, uri: string]): boolean {
  if (prefix === 'xmlns' || uri === XMLNS_NAMESPACE) return false;
  if (prefix === 'xml' || uri === XML_NAMESPACE) return prefix === 'xml' && uri === XML_NAMESPACE;
  return prefix === '' || uri !== '';
}
