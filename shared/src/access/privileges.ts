import { parseString } from 'xml2js';
import { z } from 'zod';
import { Problem } from '../errors/index.js';
import { type ConstraintName, type Grant, parseConstraints } from './data-constraints.js';
import { CONSTRAINED_ROLES, type Role } from './roles.js';

// OIO Basic Privilege Profile 1.2, model 3: who may do what in which scope, within which constraints.

/** Why a group of privileges, or some of it, counts for nothing. */
export const VOID_REASONS = {
  'unknown-constraint': 'has a constraint that is not known here',
  'unreadable-constraint': 'has a constraint whose value cannot be read',
  'unknown-element': 'has an element, an attribute or text that is not known',
  'constraint-not-for-role': 'has a role that no data constraint can narrow, with a data constraint',
} as const;

export interface Voided {
  /** CVR number. */
  readonly municipality: string;
  readonly reason: keyof typeof VOID_REASONS;
}

interface PrivilegeRules {
  readonly roleOf: (privilege: string) => Role | undefined;
  readonly constraintOf: (name: string) => ConstraintName | undefined;
}

const MAX_CHARACTERS = 1_000_000;
const MAX_GROUPS = 1_000;
// OIO BPP 1.0.1 and 1.2.
const NAMESPACES = [
  'http://itst.dk/oiosaml/basic_privilege_profile',
  'http://digst.dk/oiosaml/basic_privilege_profile',
];
const SCOPE = /^urn:dk:gov:saml:cvrNumberIdentifier:(\d{8})$/i;

/**
 * The roles of ours by CVR number of the scope. A group in another scope, or without a role of ours, is somebody else’s. One with
 * anything that is not understood counts for nothing, since it may be a limit.
 *
 * @param base64 empty = no privileges
 * @throws Problem not-signed-in when it is not such a profile
 */
export function readPrivileges(
  base64: string,
  rules: PrivilegeRules,
): { readonly grants: ReadonlyMap<string, readonly Grant[]>; readonly voided: readonly Voided[] } {
  const grants = new Map<string, Grant[]>();
  const voided: Voided[] = [];
  for (const group of base64 === '' ? [] : groupsOf(base64)) {
    const municipality = SCOPE.exec(group.scope)?.[1];
    const roles = group.privileges.map(rules.roleOf).filter((role) => role !== undefined);
    if (municipality === undefined || roles.length === 0) continue;
    const constraints = constraintsOf(group, rules);
    if (typeof constraints === 'string') {
      voided.push({ municipality, reason: constraints });
      continue;
    }
    const isLimited = Object.keys(constraints).length > 0;
    const narrowed = isLimited ? roles.filter((role) => CONSTRAINED_ROLES.has(role)) : roles;
    if (narrowed.length < roles.length) voided.push({ municipality, reason: 'constraint-not-for-role' });
    if (narrowed.length > 0) {
      grants.set(municipality, [...(grants.get(municipality) ?? []), { roles: narrowed, constraints }]);
    }
  }
  return { grants, voided };
}

interface Group {
  readonly scope: string;
  readonly privileges: readonly string[];
  readonly constraints: readonly { readonly name: string; readonly value: string }[];
  readonly hasOthers: boolean;
}

function constraintsOf({ constraints, hasOthers }: Group, { constraintOf }: PrivilegeRules) {
  if (hasOthers) return 'unknown-element';
  const values: Partial<Record<ConstraintName, string[]>> = {};
  for (const { name, value } of constraints) {
    const constraint = constraintOf(name);
    if (!constraint) return 'unknown-constraint';
    values[constraint] = [...(values[constraint] ?? []), value]; // one name may come several times
  }
  return parseConstraints(values) ?? 'unreadable-constraint';
}

function groupsOf(base64: string): Group[] {
  try {
    return parseGroups(decode(base64));
  } catch (cause) {
    throw new Problem('not-signed-in', 'The token’s privileges are not an OIO Basic Privilege Profile.', { cause });
  }
}

function decode(base64: string): string {
  if (base64.length > MAX_CHARACTERS || !/^[A-Za-z0-9+/\s]+(?:=\s*){0,2}$/.test(base64)) throw new Error('not base64');
  const xml = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'));
  // It has no use in a profile, and entities only that of an attack.
  if (/<!(?:DOCTYPE|ENTITY)/i.test(xml)) throw new Error('a document type');
  return xml;
}

// xml2js puts attributes into `$`, text into `_`, and elements beside them, always as lists: with these options under names that
// collide neither with those nor with what every object has.
const Attribute = z.object({ value: z.string(), uri: z.string() });
const Named = z.looseObject({
  $: z.record(z.string(), Attribute).default({}),
  _: z.string().default(''),
});
const GroupElement = z.looseObject({
  $: z.object({ '@Scope': Attribute }).catchall(Attribute),
  _: z.string().default(''),
  '<Privilege>': z.array(Named).default([]),
  '<Constraint>': z.array(Named).default([]),
});
const Root = z.looseObject({
  $ns: z.object({ local: z.literal('PrivilegeList'), uri: z.enum(NAMESPACES) }),
  '<PrivilegeGroup>': z.array(GroupElement).max(MAX_GROUPS).default([]),
});

const isElement = (name: string) => name.startsWith('<');
// Attributes that say nothing of the profile: declarations of namespaces, and xsi:type.
const OF_MARKUP = new Set(['http://www.w3.org/2000/xmlns/', 'http://www.w3.org/2001/XMLSchema-instance']);
const hasOtherAttributes = ({ $ }: Pick<z.infer<typeof Named>, '$'>, known?: string) =>
  Object.entries($).some(([name, { uri }]) => name !== known && !OF_MARKUP.has(uri));

function parseGroups(xml: string): Group[] {
  let parsed: unknown;
  parseString(
    xml,
    {
      xmlns: true,
      explicitRoot: false,
      explicitCharkey: true,
      trim: true,
      strict: true,
      tagNameProcessors: [(name) => `<${name}>`],
      attrNameProcessors: [(name) => `@${name}`],
    },
    (error, root) => {
      if (error) throw error;
      parsed = root;
    },
  );
  return Root.parse(parsed)['<PrivilegeGroup>'].map(readGroup);
}

function readGroup({ $, _, ...elements }: z.infer<typeof GroupElement>): Group {
  const { '<Privilege>': privileges, '<Constraint>': constraints, ...others } = elements;
  return {
    scope: $['@Scope'].value.trim(),
    privileges: privileges.map((each) => each._.trim()),
    constraints: constraints.map((each) => ({ name: (each.$['@Name']?.value ?? '').trim(), value: each._ })),
    hasOthers:
      _.trim() !== '' ||
      [others, ...privileges, ...constraints].some((element) => Object.keys(element).some(isElement)) ||
      hasOtherAttributes({ $ }, '@Scope') ||
      privileges.some((each) => hasOtherAttributes(each)) ||
      constraints.some((each) => hasOtherAttributes(each, '@Name')),
  };
}
