import type { DocumentAnswer } from '@indbakke/shared/api';
import { Foreign } from '../foreign.js';
import { inBoth, useFormat, useTexts } from '../language.js';
import { Fact, Quiet } from './facts.js';

type Distribution = NonNullable<DocumentAnswer['distribution']>;
type Receipt = Distribution['receipts'][number];

interface Words {
  readonly objectTypes: Record<Distribution['objectType'], string>;
  readonly roles: Record<Distribution['parties'][number]['role'], string>;
  readonly codes: Record<Receipt['code'], string>;
  readonly told: Record<Receipt['status'], (code: string, at: string) => string>;
}

const texts = inBoth({
  da: {
    title: 'Fra Fordelingskomponenten',
    authority: 'Afsendende myndighed',
    objectType: 'Sendt som',
    kle: 'KLE-nummer',
    exempt: 'Undtaget fra aktindsigt',
    byNoLaw: 'Uden angivet hjemmel',
    otherTitle: 'Titel ved aktindsigt',
    receipt: 'Besked til afsenderen',
  },
  en: {
    title: 'From Fordelingskomponenten',
    authority: 'Sending authority',
    objectType: 'Sent as',
    kle: 'KLE number',
    exempt: 'Exempt from access',
    byNoLaw: 'No law is stated',
    otherTitle: 'Title where access is given',
    receipt: 'Word to the sender',
  },
});

const words = inBoth<Words>({
  da: {
    objectTypes: { DOKUMENT: 'Dokument', JOURNALPOST: 'Journalpost', FORMULAR: 'Formular' },
    roles: { primary: 'Primær part', secondary: 'Sekundær part', copy: 'Kopimodtager' },
    codes: { ACCEPTERET: 'accepteret', AFVIST: 'afvist', FEJLET: 'fejlet' },
    told: {
      waiting: (code) => `Afsenderen får besked: ${code}.`,
      sending: (code) => `Beskeden er ved at blive sendt: ${code}.`,
      sent: (code, at) => `Afsenderen har fået kvittering: ${code}, ${at}.`,
      withdrawn: (code) => `Afsenderen fik ikke besked (${code}): det blev fortrudt inden.`,
      'in-doubt': (code) => `Afsenderen kan have fået besked: ${code}. Det gælder ikke mere.`,
    },
  },
  en: {
    objectTypes: { DOKUMENT: 'Document', JOURNALPOST: 'Journal entry', FORMULAR: 'Form' },
    roles: { primary: 'Primary party', secondary: 'Secondary party', copy: 'Copy to' },
    codes: { ACCEPTERET: 'accepted', AFVIST: 'rejected', FEJLET: 'failed' },
    told: {
      waiting: (code) => `The sender will be told: ${code}.`,
      sending: (code) => `The receipt is being sent: ${code}.`,
      sent: (code, at) => `The sender has the receipt: ${code}, ${at}.`,
      withdrawn: (code) => `The sender was not told (${code}): it was undone before.`,
      'in-doubt': (code) => `The sender may have been told: ${code}. That holds no longer.`,
    },
  },
});

const ORDER: readonly Distribution['parties'][number]['role'][] = ['primary', 'secondary', 'copy'];

/** Of a document that came through Fordelingskomponenten: from which authority, about what and whom, and what its sender is told. */
export function DistributionFacts({ letter: { sender, distribution } }: { readonly letter: DocumentAnswer }) {
  const own = useTexts(texts);
  const { objectTypes, roles, codes, told } = useTexts(words);
  const format = useFormat();
  if (!distribution) return null;
  const { objectType, kle, parties, exemption, receipts } = distribution;
  const inOrder = parties.toSorted((one, other) => ORDER.indexOf(one.role) - ORDER.indexOf(other.role));
  return (
    <section aria-labelledby="distribution">
      <h2 id="distribution">{own.title}</h2>
      <dl>
        <Fact name={own.authority}>
          {sender.idType} {sender.id}
        </Fact>
        <Fact name={own.objectType}>{objectTypes[objectType]}</Fact>
        {kle && <Fact name={own.kle}>{kle}</Fact>}
        {inOrder.map(({ role, name, id }, index) => (
          <Fact key={index} name={roles[role]}>
            <Foreign>{name ?? id ?? ''}</Foreign> {name !== null && id !== null && <Quiet>{id}</Quiet>}
          </Fact>
        ))}
        {exemption && (
          <Fact name={own.exempt}>
            <Foreign>{exemption.law || own.byNoLaw}</Foreign>
          </Fact>
        )}
        {exemption?.title && (
          <Fact name={own.otherTitle}>
            <Foreign>{exemption.title}</Foreign>
          </Fact>
        )}
        {receipts.map(({ code, status, at, sentAt }) => (
          <Fact key={at + code} name={own.receipt}>
            {told[status](codes[code], format.time(sentAt ?? at))}
          </Fact>
        ))}
      </dl>
    </section>
  );
}
