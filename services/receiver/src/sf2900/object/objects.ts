import { Problem } from '@indbakke/shared/errors';
import { uuidOf } from '@indbakke/shared/ids';
import type { Exemption, ObjectType, Party } from '@indbakke/shared/lifecycle';
import { pathOf } from '@indbakke/shared/xml';
import { beginOf, endOf, instantIn } from './dates.js';
import { all, at, needed, neededValue, type Place, textAt } from './elements.js';
import { partiesOfDocument, partyIn } from './parties.js';

/** What an object says of itself, whatever its type. */
export interface DistributionObject {
  readonly type: ObjectType;
  readonly id: string;
  readonly place: Place;
  readonly subject: string;
  readonly letterAt: Date | undefined;
  readonly replyBy: Date | undefined;
  readonly suggestedCase: string | undefined;
  readonly parties: readonly Party[];
  readonly exemption: Exemption | undefined;
  /** More of it that people read, by Danish labels. */
  readonly info: readonly { readonly label: string; readonly value: string }[];
  /** Notes, which are documents of their own here. */
  readonly notes: readonly string[];
  /** The MIME type that the sender claims for the file that follows. */
  readonly encodingFormat: string;
  /** The contents of a form: the tokens of its files (XmlDocument). */
  readonly contents: readonly string[];
  /** Of a form, the file name of its content. */
  readonly formFileName: string;
}

/** The object of a request: it is what it contains, whatever ObjektType says. @throws Problem not-sf2900 */
export function readObject(request: Place): DistributionObject {
  const object = needed(request, 'anmodning', 'DistributionObject');
  const content = needed(object, 'ObjektIndhold');
  const [read, ...others] = Object.entries(READERS).flatMap(([name, reader]) =>
    all(content, name).map((found) => () => reader(found)),
  );
  if (!read || others.length > 0) {
    throw new Problem('not-sf2900', 'There must be one document, journal entry or form.', { path: pathOf(content) });
  }
  return read();
}

const READERS: Readonly<Record<string, (place: Place) => DistributionObject>> = {
  DistributionDokument: readDocument,
  DistributionJournalPost: readJournalEntry,
  DistributionFormular: readForm,
};

const idOf = (place: Place) => neededValue(place, 'ID', uuidOf, 'UUID');

/** SF2900 2.4, DistributionDokument. */
function readDocument(place: Place): DistributionObject {
  const registration = at(place, 'Registrering');
  const relations = at(registration, 'RelationListe');
  const attributes = at(registration, 'AttributListe', 'Attributter');
  return {
    type: 'DOKUMENT',
    id: idOf(place),
    place,
    subject: textAt(attributes, 'TitelTekst') ?? '',
    letterAt: beginOf(textAt(attributes, 'Brevdato')) ?? instantIn(textAt(registration, 'FraTidsPunkt')),
    replyBy: endOf(textAt(attributes, 'Fristdato')),
    suggestedCase: textAt(place, 'SagForslag'),
    parties: partiesOfDocument(relations),
    exemption: exemptionIn(attributes),
    info: labelled([
      ['Beskrivelse', textAt(attributes, 'BeskrivelseTekst')],
      ['Dokumenttype', documentKind(textAt(attributes, 'Dokumenttype'))],
      ['Dokumentnøgle', textAt(attributes, 'BrugervendtNoegleTekst')],
    ]),
    notes: [],
    encodingFormat: textAt(relations, 'VariantListe', 'Variant', 'DelAttributter', 'MimeType') ?? '',
    contents: [],
    formFileName: '',
  };
}

/** SF2900 2.4, DistributionJournalPost. */
function readJournalEntry(place: Place): DistributionObject {
  const registration = at(place, 'Registrering');
  const entries = all(at(registration, 'RelationListe'), 'JournalPost');
  const textOf = (...names: string[]) =>
    entries.map((entry) => textAt(entry, ...names)).find((text) => text !== undefined);
  return {
    type: 'JOURNALPOST',
    id: idOf(place),
    place,
    subject: textOf('JournalpostAttributter', 'Dokumenttitel') ?? textOf('JournalnotatAttributter', 'Titel') ?? '',
    letterAt: instantIn(textAt(registration, 'FraTidsPunkt')),
    replyBy: undefined,
    suggestedCase: textAt(place, 'SagForslag'),
    parties: partyIn(at(place, 'PartAngivelse'), 'primary'),
    exemption: entries.map((entry) => exemptionIn(at(entry, 'JournalpostAttributter'))).find(Boolean),
    info: labelled([['Notat', textOf('JournalnotatAttributter', 'Titel')]]),
    notes: entries.flatMap((entry) => textAt(entry, 'JournalnotatAttributter', 'Notat') ?? []),
    encodingFormat: '',
    contents: [],
    formFileName: '',
  };
}

/** SF2900 2.4, DistributionFormular. */
function readForm(place: Place): DistributionObject {
  const message = at(place, 'Meddelelse');
  const form = at(message, 'Formular');
  const title = textAt(form, 'TitelTekst') ?? '';
  const format = textAt(form, 'FormatNavn') ?? '';
  const contents = all(form, 'FormularIndhold');
  if (contents.length === 0) {
    throw new Problem('not-sf2900', 'The form has no content.', { path: `${pathOf(place)}/Meddelelse/Formular` });
  }
  return {
    type: 'FORMULAR',
    id: idOf(place),
    place,
    subject: title,
    letterAt: undefined,
    replyBy: undefined,
    suggestedCase: undefined,
    parties: [],
    exemption: undefined,
    info: labelled([['Formulartype', textAt(message, 'FormularType')]]),
    notes: [],
    encodingFormat: format.includes('/') ? format : '',
    contents: contents.map(({ element }) => element.text),
    formFileName: `${title || 'Formular'}${/^[a-z\d]{1,5}$/i.test(format) ? `.${format.toLowerCase()}` : ''}`,
  };
}

function exemptionIn(place: Place | undefined): Exemption | undefined {
  const exemption = at(place, 'OffentlighedUndtaget');
  return (
    exemption && {
      title: textAt(exemption, 'TitelAlternativTekst') ?? '',
      law: textAt(exemption, 'HjemmelTekst') ?? '',
    }
  );
}

// SF2900 2.4, Dokumenttype: so spelt
const documentKind = (kind: string | undefined) => (kind === 'Refereat' ? 'Referat' : kind);

function labelled(pairs: readonly (readonly [label: string, value: string | undefined])[]): DistributionObject['info'] {
  return pairs.flatMap(([label, value]) => (value === undefined ? [] : [{ label, value }]));
}
