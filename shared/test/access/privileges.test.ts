import { describe, expect, it } from 'vitest';
import { readPrivileges } from '../../src/access/privileges.js';
import type { CommonConfig } from '../../src/config/index.js';
import { claimRulesOf } from '../../src/service/token-issuers.js';
import { BPP_NAMESPACES, type BppGroup, bpp, bppXml, constraintUri, inBase64, roleUri } from './bpp.js';

// What the privileges of a token grant, and what counts for nothing.

const rules = claimRulesOf({ TOKEN_CLAIMS: 'context-handler-2', TOKEN_SYSTEM: 'indbakke.example.dk' } as CommonConfig);
const [ONE, OTHER] = ['11111111', '22222222'];
const [READ, REJECT] = ['indkomnedokumenter_laes', 'indkomnedokumenter_afvis'].map(roleUri);
const LÆS = 'IndkomneDokumenter.Læs';
const AFVIS = 'IndkomneDokumenter.Afvis';
const UNIT = 'f3a9c1d2-5b64-4c8e-9a0f-1d2e3c4b5a69';

const granted = (base64: string) => {
  const { grants, voided } = readPrivileges(base64, rules);
  return { grants: Object.fromEntries(grants), voided };
};
const group = (changes: Partial<BppGroup>): BppGroup => ({ scope: ONE, privileges: [READ as string], ...changes });
const limited = (...constraints: [string, string][]) =>
  bpp([group({ constraints: constraints.map(([name, value]) => [constraintUri(name), value] as const) })]);

const UNLIMITED = { grants: { [ONE]: [{ roles: [LÆS], constraints: {} }] }, voided: [] };
const limitedTo = (constraints: object) => ({ grants: { [ONE]: [{ roles: [LÆS], constraints }] }, voided: [] });
const nothing = (...reasons: string[]) => ({
  grants: {},
  voided: reasons.map((reason) => ({ municipality: ONE, reason })),
});

describe('grants', () => {
  it.each<[string, string, object]>([
    ['nothing without privileges', '', nothing()],
    ['nothing with an empty list', bpp([]), nothing()],
    ...BPP_NAMESPACES.map((namespace): [string, string, object] => [
      `a role in ${namespace}`,
      inBase64(bppXml([group({})], namespace)),
      UNLIMITED,
    ]),
    [
      'a role whose list has the namespace by default',
      inBase64(
        bppXml([group({})])
          .replaceAll('bpp:', '')
          .replace('xmlns:bpp', 'xmlns'),
      ),
      UNLIMITED,
    ],
    ['a role in lines of 76 characters', bpp([group({})]).replace(/.{76}/g, '$&\r\n'), UNLIMITED],
    [
      'a role of a group that declares a namespace, and is of a type',
      bpp([group({ attributes: 'xmlns:a="urn:a" xsi:type="a:b"' })]),
      UNLIMITED,
    ],
    [
      'a role in CDATA',
      bpp([group({ privileges: [], more: `<Privilege><![CDATA[${READ}]]></Privilege>` })]),
      UNLIMITED,
    ],
    [
      'a role with a comment and an instruction in it',
      bpp([group({ privileges: [], more: `<Privilege>${READ?.replace('laes', 'la<!--x--><?y z?>es')}</Privilege>` })]),
      UNLIMITED,
    ],
    ['a role between spaces', bpp([group({ privileges: [`\n  ${READ}\n`] })]), UNLIMITED],
    [
      'several roles',
      bpp([group({ privileges: [READ as string, REJECT as string] })]),
      { grants: { [ONE]: [{ roles: [LÆS, AFVIS], constraints: {} }] } },
    ],
    [
      'groups that repeat',
      bpp([group({}), group({ privileges: [REJECT as string] })]),
      {
        grants: {
          [ONE]: [
            { roles: [LÆS], constraints: {} },
            { roles: [AFVIS], constraints: {} },
          ],
        },
      },
    ],
    [
      'each scope by itself',
      bpp([group({}), group({ scope: OTHER as string })]),
      { grants: { [ONE]: [{ roles: [LÆS] }], [OTHER as string]: [{ roles: [LÆS] }] } },
    ],
    ['KLE', limited(['KLE', '27.24']), limitedTo({ kle: ['27.24'] })],
    ['KLE with a wildcard', limited(['KLE', '27.*']), limitedTo({ kle: ['27'] })],
    ['KLE, all', limited(['KLE', '*']), UNLIMITED],
    ['several values with commas', limited(['KLE', '27.24, 27.36 ,05']), limitedTo({ kle: ['05', '27.24', '27.36'] })],
    ['a name that repeats', limited(['KLE', '27.24'], ['KLE', '05']), limitedTo({ kle: ['05', '27.24'] })],
    ['a name in other case', limited(['kle', '27.24']), limitedTo({ kle: ['27.24'] })],
    ['an organisational unit', limited(['orgenhed', UNIT.toUpperCase()]), limitedTo({ orgUnit: [UNIT] })],
    ['several kinds', limited(['foelsomhed', 'Alm'], ['KLE', '27']), limitedTo({ kle: ['27'], sensitivity: ['alm'] })],
    [
      'constraints before privileges',
      inBase64(
        bppXml([
          group({
            privileges: [],
            constraints: [[constraintUri('KLE'), '27']],
            more: `<Privilege>${READ}</Privilege>`,
          }),
        ]),
      ),
      limitedTo({ kle: ['27'] }),
    ],
  ])('%s', (_name, base64, expected) => {
    expect(granted(base64)).toMatchObject(expected);
  });
});

describe('of others, without a word:', () => {
  it.each<[string, BppGroup]>([
    [
      'roles of another system',
      group({ privileges: ['http://sapa.kombit.dk/roles/usersystemrole/laes/1'], constraints: [['x', 'y']] }),
    ],
    [
      'a role that is spelt otherwise',
      group({ privileges: [`${READ}x`, String(READ).toUpperCase(), 'IndkomneDokumenter.Læs'] }),
    ],
    ['a production unit', group({ scope: 'urn:dk:gov:saml:productionUnitIdentifier:1111111111' })],
    ['a citizen', group({ scope: 'urn:dk:gov:saml:cprNumberIdentifier:1111111111' })],
    ['a scope that is no number', group({ scope: 'urn:dk:gov:saml:cvrNumberIdentifier:1111111x' })],
    ['a scope with more', group({ scope: `urn:dk:gov:saml:cvrNumberIdentifier:${ONE}, 22222222` })],
    ['no scope', group({ scope: ' ' })],
  ])('%s', (_name, each) => {
    expect(granted(bpp([each]))).toEqual(nothing());
  });
});

describe('counts for nothing, as a whole group:', () => {
  it.each<[string, Partial<BppGroup>, string]>([
    ['a constraint that is not known', { constraints: [[constraintUri('distrikt'), '1']] }, 'unknown-constraint'],
    [
      'one beside one that is',
      {
        constraints: [
          [constraintUri('KLE'), '27'],
          ['x', '1'],
        ],
      },
      'unknown-constraint',
    ],
    ['a constraint without a name', { more: '<Constraint>27</Constraint>' }, 'unknown-constraint'],
    ['an empty constraint', { constraints: [[constraintUri('KLE'), '']] }, 'unreadable-constraint'],
    ['an empty value among others', { constraints: [[constraintUri('KLE'), '27,,05']] }, 'unreadable-constraint'],
    ['an element that is not known', { more: '<Until>2030-01-01</Until>' }, 'unknown-element'],
    ['a constraint in a namespace', { more: '<bpp:Constraint Name="x">1</bpp:Constraint>' }, 'unknown-element'],
    ...['_', 'cdata', '__proto__', 'constructor', 'PrivilegeGroup'].map((name): [string, Partial<BppGroup>, string] => [
      `an element that is called ${name}`,
      { more: `<${name}>x</${name}>\n<![CDATA[]]>` },
      'unknown-element',
    ]),
    [
      'an element that is called _ in a constraint',
      { more: `<Constraint Name="${constraintUri('KLE')}"><_/>27</Constraint>` },
      'unknown-element',
    ],
    ['an attribute that is not known', { attributes: 'Until="2030-01-01"' }, 'unknown-element'],
    [
      'an attribute of a constraint that is not known',
      { more: `<Constraint Name="${constraintUri('KLE')}" Except="true">27</Constraint>` },
      'unknown-element',
    ],
    ['text beside its elements', { more: 'but not on Sundays' }, 'unknown-element'],
    [
      'an element in a constraint',
      { more: `<Constraint Name="${constraintUri('KLE')}">27<And>1</And></Constraint>` },
      'unknown-element',
    ],
  ])('%s', (_name, changes, reason) => {
    const others = group({ privileges: [REJECT as string] });
    const { grants, voided } = granted(bpp([group(changes), others]));
    expect(grants).toEqual({ [ONE as string]: [{ roles: [AFVIS], constraints: {} }] });
    expect(voided).toEqual([{ municipality: ONE, reason }]);
  });

  it('of a role that no data constraint can narrow, with one: that role', () => {
    const privileges = [READ as string, roleUri('revisionslog_laes')];
    const { grants, voided } = granted(bpp([group({ privileges, constraints: [[constraintUri('KLE'), '27']] })]));
    expect(grants).toEqual({ [ONE as string]: [{ roles: [LÆS], constraints: { kle: ['27'] } }] });
    expect(voided).toEqual([{ municipality: ONE, reason: 'constraint-not-for-role' }]);
  });
});

describe('refused as a whole, without its text:', () => {
  const xml = bppXml([group({})]);
  const withType = (type: string, entity = '') =>
    xml.replace('?>', `?>${type}`).replace(READ as string, `${READ}${entity}`);
  it.each<[string, string]>([
    ['no base64', '<bpp/>'],
    ['base64 of URLs', bpp([group({})]).replaceAll('A', '-')],
    ['base64 with something after it', `${bpp([group({})])}==x`],
    ['no XML', inBase64('x')],
    ['nothing in it', inBase64(' ')],
    ['XML that ends early', inBase64(xml.slice(0, -5))],
    ['another root', inBase64(xml.replaceAll('PrivilegeList', 'Privileges'))],
    ['another namespace', inBase64(bppXml([group({})], 'http://example.dk/oiosaml/basic_privilege_profile'))],
    ['no namespace', inBase64(xml.replaceAll('bpp:', '').replace(/xmlns[^"]*"[^"]*"/g, ''))],
    ['a group without a scope', inBase64(xml.replace(/ Scope="[^"]*"/, ''))],
    ['bytes that are not UTF-8', Buffer.from(xml, 'utf16le').toString('base64')],
    ['an external entity', inBase64(withType('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', '&e;'))],
    ['an external document type', inBase64(withType('<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">'))],
    [
      'entities of entities',
      inBase64(
        withType(
          `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">${'bcdefgh'.replace(/./g, (name) => `<!ENTITY ${name} "${`&${String.fromCharCode(name.charCodeAt(0) - 1)};`.repeat(10)}">`)}]>`,
          '&h;',
        ),
      ),
    ],
    ['an entity of nobody', inBase64(withType('', '&e;'))],
    ['10 000 groups', bpp(Array(10_000).fill(group({})))],
    ['more than a million characters', 'A'.repeat(1_000_004)],
    ['spaces that lead nowhere', `A${' '.repeat(900_000)}!`],
    ['elements 20 000 deep', inBase64(`<x>`.repeat(20_000))],
  ])('%s', (_name, base64) => {
    const reading = () => readPrivileges(base64, rules);
    expect(reading).toThrow(expect.objectContaining({ code: 'not-signed-in' }));
    expect(reading).toThrow(/^not-signed-in: The token’s privileges are not an OIO Basic Privilege Profile\.$/);
  });

  it('reads a thousand groups', () => {
    expect(granted(bpp(Array(1_000).fill(group({})))).grants[ONE as string]).toHaveLength(1_000);
  });
});
