import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSchemaCheck, type SchemaCheck } from '../../../infra/src/testkit/distribution-schema.js';
import { isInstalled } from '../../../infra/src/testkit/installed.js';
import { TYPES_2, TYPES_3 } from '../src/sf2900/wsdl/namespaces.js';
import { recipientWsdlAt } from '../src/sf2900/wsdl/recipient.js';
import { DISTRIBUTION_SCHEMAS } from '../src/sf2900/wsdl/schemas.js';
import { serviceWsdlAt } from '../src/sf2900/wsdl/service.js';
import { type Element, envelopeOf, FULL_MESSAGES, faultOf } from './support/distribution-messages.js';

const FIXTURES = fileURLToPath(new URL('../../../../shared/fixtures/', import.meta.url));
const EXAMPLES = join(FIXTURES, 'examples');

const hasXmllint = await isInstalled('xmllint', ['--version']);
if (!hasXmllint) process.stdout.write('Skipped: the schemas of SF2900 require xmllint (Debian: libxml2-utils).\n');

describe.skipIf(!hasXmllint)('our schema of SF2900', () => {
  let ours: SchemaCheck;
  beforeAll(async () => {
    ours = await openSchemaCheck();
  });
  afterAll(() => ours.close());

  test('takes every message with every element', async () => {
    const documents = FULL_MESSAGES.flatMap((message) => [envelopeOf(message), faultOf(message)]);
    expect((await ours.faultsOf(documents)).filter(Boolean)).toEqual([]);
  });

  test('refuses a change of any element', async () => {
    const faults = await ours.faultsOf(
      FULL_MESSAGES.flatMap((message) => places(message, renamed)).map((message) => envelopeOf(message)),
    );
    expect(faults.every(Boolean)).toBe(true);
  });

  test('has no element that the messages lack', () => {
    const inSchemas = Object.values(DISTRIBUTION_SCHEMAS).flatMap((schema) =>
      [...schema.matchAll(/<xs:element (?:name|ref)="(?:\w+:)?([^"]+)"/g)].map(([, name]) => name),
    );
    expect(new Set(FULL_MESSAGES.flatMap(namesIn))).toEqual(new Set([...inSchemas, 'Formular']));
  });

  describe.skipIf(!existsSync(FIXTURES))('and that of KOMBIT', () => {
    let theirs: SchemaCheck;
    beforeAll(async () => {
      theirs = await openSchemaCheck({
        [TYPES_2]: join(FIXTURES, 'sf2900/SF2900_EP_MS1-2/DistributionServiceMsgV2.xsd'),
        [TYPES_3]: join(FIXTURES, 'sf2900/DistributionServiceMsg.xsd'),
      });
    });
    afterAll(() => theirs.close());

    /** @returns how many are valid by both and by none, and those that are valid by one */
    async function compare(documents: readonly string[]) {
      const [byOurs, byTheirs] = await Promise.all([ours.faultsOf(documents), theirs.faultsOf(documents)]);
      const rows = documents.map((document, index) => ({ document, ours: byOurs[index], theirs: byTheirs[index] }));
      return {
        valid: rows.filter((row) => !row.ours && !row.theirs).length,
        invalid: rows.filter((row) => row.ours && row.theirs).length,
        different: rows.filter((row) => !row.ours !== !row.theirs),
      };
    }

    test('take the examples', async () => {
      const names = (await readdir(EXAMPLES)).filter((name) => name.startsWith('sf2900-'));
      const documents = await Promise.all(names.map((name) => readFile(join(EXAMPLES, name), 'utf8')));
      expect(await compare(documents)).toEqual({ valid: 4, invalid: 0, different: [] });
    });

    test.each(FULL_MESSAGES.map((message, index) => [index, message.local, message] as const))(
      'say the same of message %i, %s, with any element changed',
      { tags: 'long' },
      async (_index, _local, message) => {
        const body = { uri: '', local: '', content: [message] };
        const bodies = CHANGES.flatMap((change) => places(body, change)) as (typeof body)[];
        const documents = bodies.map(({ content }) => envelopeOf(...content));
        const { invalid, different } = await compare(documents);
        expect(different).toEqual([]);
        expect(invalid).toBeGreaterThan(3);
      },
    );

    test.each(Object.entries(VALUES))('say the same of values of %s', { tags: 'long' }, async (local, values) => {
      const change = (element: Element) =>
        element.local === local && typeof element.content === 'string'
          ? values.map((content) => ({ ...element, content }))
          : [];
      const messages = FULL_MESSAGES.filter((message) => namesIn(message).includes(local));
      const documents = messages
        .flatMap((message) => places(message, eachAlone(change)))
        .map((message) => envelopeOf(message));
      const { valid, invalid, different } = await compare(documents);
      expect(different).toEqual([]);
      expect(valid).toBeGreaterThan(0);
      expect(invalid).toBeGreaterThan(0);
    });
  });
});

const PYTHON = '/usr/bin/python3';
const hasZeep = await promisify(execFile)(PYTHON, ['-c', 'import zeep']).then(
  () => true,
  () => false,
);
if (!hasZeep) process.stdout.write('Skipped: the WSDL of SF2900 with a foreign client requires python3 with zeep.\n');

describe.skipIf(!hasZeep)('a foreign client, zeep,', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'indbakke-wsdl-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function fileOf(wsdl: string): Promise<string> {
    const file = join(folder, 'our.wsdl');
    await writeFile(file, wsdl);
    return file;
  }
  const python = async (...args: string[]) => (await promisify(execFile)(PYTHON, args)).stdout;
  const requestBy = (wsdlFile: string) =>
    python(fileURLToPath(new URL('distribution-client.py', import.meta.url)), wsdlFile);

  test.skipIf(!hasXmllint)('makes a valid request by our WSDL', async () => {
    const check = await openSchemaCheck();
    try {
      const request = await requestBy(await fileOf(recipientWsdlAt('http://localhost/?a&b')));
      expect(await check.faultsOf([request])).toEqual([undefined]);
    } finally {
      await check.close();
    }
  });

  test.skipIf(!existsSync(FIXTURES))('makes the same request by that of KOMBIT', async () => {
    const theirs = join(FIXTURES, 'sf2900/SF2900_EP_MS1-2/DistributionServiceModtagerV2.wsdl');
    expect(await requestBy(await fileOf(recipientWsdlAt('http://localhost/')))).toBe(await requestBy(theirs));
  });

  test('reads our WSDL of the service', async () => {
    const operations = 'sorted(zeep.Client(sys.argv[1]).service._operations)';
    const file = await fileOf(serviceWsdlAt('http://localhost/'));
    expect(await python('-c', `import sys, zeep; print(*${operations})`, file)).toBe(
      'FordelingskvitteringModtag FordelingsobjektAfsend\n',
    );
  });
});

const namesIn = ({ local, content }: Element): string[] => [
  local,
  ...(typeof content === 'string' ? [] : content.flatMap(namesIn)),
];

/** What stands in place of the child with this index. */
type Change = (children: readonly Element[], index: number) => readonly (readonly Element[])[];

/** The message with the change made at each place, one at a time. */
function places(message: Element, change: Change): Element[] {
  const { content } = message;
  if (typeof content === 'string') return [];
  return content.flatMap((child, index) => [
    ...change(content, index).map((children) => ({ ...message, content: children })),
    ...places(child, change).map((changed) => ({ ...message, content: content.toSpliced(index, 1, changed) })),
  ]);
}

const eachAlone =
  (change: (element: Element) => readonly Element[]): Change =>
  (children, index) =>
    change(children[index] as Element).map((changed) => children.toSpliced(index, 1, changed));

const renamed = eachAlone((element) =>
  element.local === 'Formular' && element.uri === 'urn:other' ? [] : [{ ...element, local: `${element.local}X` }],
);

const CHANGES: readonly Change[] = [
  renamed,
  (children, index) => [children.toSpliced(index, 1)],
  (children, index) => [children.toSpliced(index, 0, children[index] as Element)],
  (children, index) => [[...children.toSpliced(index, 1), children[index] as Element]],
  eachAlone((element) => [
    { ...element, uri: 'urn:other' },
    { ...element, uri: TYPES_2 },
    { ...element, uri: TYPES_3 },
  ]),
  eachAlone((element) => [{ ...element, attribute: 'id' }]),
  eachAlone((element) =>
    ['', ' ', 'x', '1', 'x'.repeat(256), '2026-01-15'].map((content) => ({ ...element, content })),
  ),
  eachAlone(({ content, ...element }) =>
    typeof content === 'string'
      ? [` ${content}`, `${content} `, content.toUpperCase(), content.toLowerCase()].map((changed) => ({
          ...element,
          content: changed,
        }))
      : [{ ...element, content: [...content, { uri: TYPES_2, local: 'Andet', content: '' }] }],
  ),
];

const URN_NAMESPACE = 'a'.repeat(31);
const VALUES: Readonly<Record<string, readonly string[]>> = {
  ObjektType: [
    ...'DOKUMENT JOURNALPOST FORMULAR SAG Person Virksomhed Organisation OrgEnhed OrgFunktion'.split(' '),
    'Interesse-faellesskab',
    'Interessefaellesskab',
    'Bruger',
    'Dokument',
  ],
  Objekttype: ['Dokument', 'DOKUMENT', 'Journalpost'],
  LivscyklusKode: ['Oprettet', 'Importeret', 'Rettet'],
  TransportValideringsKode: ['OK', 'ADVARSEL', 'FEJL', 'FEJLET'],
  ForretningsValideringsKode: ['MODTAGET', 'AFLEVERET', 'ACCEPTERET', 'AFVIST', 'FEJLET', 'FEJL', 'OK'],
  Kvitteringstype: ['Teknisk', 'Forretning', 'Digital post', 'DigitalPost', 'TEKNISK'],
  Rolle: ['Variant', 'Journalpost', 'PrimaerPart', 'SekundaerPart', 'KopiModtager', 'Part'],
  AktoerType: [
    'Organisation',
    'OrganisationEnhed',
    'OrganisationFunktion',
    'Bruger',
    'ItSystem',
    'Interessefaellesskab',
    'Interesse-faellesskab',
    'Person',
  ],
  Fremdrift: ['Modtaget', 'Fordelt', 'UnderUdarbejdelse', 'UnderReview', 'Endeligt', 'Afleveret', 'Udkast'],
  Dokumenttype: ['Faktura', 'Brev', 'Notat', 'Rapport', 'Dagsorden', 'Refereat', 'Referat', 'eMail', 'email', 'Anden'],
  Retning: ['Indgaaende', 'Udgaaende', 'InterntInd', 'InterntUd', 'Internt', 'Ind'],
  Brevdato: [
    '2026-01-15',
    '2026-01-15Z',
    '2026-01-15+01:00',
    '2026-1-15',
    '2026-02-30',
    '2026-01-15T00:00:00',
    '-0001-01-01',
  ],
  FraTidspunkt: [
    '2026-01-15T09:30:00',
    '2026-01-15T09:30:00.123456789Z',
    '2026-01-15T24:00:00',
    '2026-01-15T09:30',
    '2026-01-15',
  ],
  Arkivering: ['true', 'false', '1', '0', 'TRUE', 'ja'],
  Filstoerrelse: ['0', '-1', '+7', '99999999999999999999', '1.0', '1e3'],
  FormularIndhold: ['SGVq', 'SG Vq', 'SGV', 'SGVqPA==', '!'],
  UUID: [
    '0F1E2D3C-4B5A-4978-8695-A4B3C2D1E0F9',
    '00000000-0000-0000-0000-000000000000',
    '0f1e2d3c4b5a49788695a4b3c2d1e0f9',
    '0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f',
    '{0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9}',
    'ægf',
  ],
  URN: [
    'urn:oio:cpr-nr:0101019999',
    'URN:a1:x',
    'uRn:A-1:x',
    `urn:${URN_NAMESPACE}a:x`,
    `urn:${URN_NAMESPACE}aa:x`,
    'urn:a:x',
    'urn:-a:x',
    'urn:a-:x',
    'urn:ab:',
    'urn:ab:æ',
    'urn:ab:a b',
    String.raw`urn:ab:()+,\-.:=@;$_!*'%/?#`,
    'urn:ab:&amp;',
    'urn:ab:[x]',
    'urn:ab:~',
    'oio:ab:x',
  ],
  MunicipalityCVR: ['22222222', '2222222', '222222222', '2222222a', '٢٢٢٢٢٢٢٢'],
  RoutingMyndighed: ['22222222', '2222222', '222222222', '2222222a', '٢٢٢٢٢٢٢٢'],
  KLEEmneForslag: ['00.00.00', '01.01.*', '1.01.01', '01-01-01', '01.01', '01.01.01.01', '0A.01.01'],
  HandlingFacetForslag: ['G01', 'Æ01', 'Ø99', 'Å00', ',01', 'g01', 'æ01', 'G1', 'G001', '.01', '[01'],
  AccountingInfo: ['', 'x'.repeat(255), 'x'.repeat(256), 'æ'.repeat(255)],
};
