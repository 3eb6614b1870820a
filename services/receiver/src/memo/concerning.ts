import { cprNumberOf } from '@indbakke/shared/ids';
import type { Memo } from '@indbakke/shared/memo';
import type { Concerning, IncomingMessage } from '../intake/incoming-message.js';

type ContactInfo = IncomingMessage['contactInfo'];

/**
 * Whom a message concerns: the one of ContentData/CPRdata, else the one whose CPR number the sender filled in for the contact
 * point, else whoever of them has a name only (MeMo 1.2, ContentData, ContactPoint/ContactInfo). Number and name are of one
 * source, so that nobody gets another’s name.
 */
export function concerningOf({ header: { contentData } }: Memo, contactInfo: ContactInfo): Concerning {
  const { cprNumber = '', name = '' } = contentData?.cprData ?? {};
  const fromData = {
    id: cprNumber === '' ? undefined : (cprNumberOf(cprNumber) ?? cprNumber),
    name: name || undefined,
  };
  if (fromData.id !== undefined || contactInfo.length === 0) return fromData;
  const fromInfo = concerningByLabel(contactInfo);
  return fromInfo.id === undefined && fromData.name !== undefined ? fromData : fromInfo;
}

/** What labels mean, in lower case. A municipality words those of its contact points itself, so these are usual Danish words. */
const LABELS = {
  // `CPR-nummer`, `Barnets cpr-nr.`, `Personnr.`
  cprNumber: /cpr|person-?\s?(nummer|nr)/,
  // `Barnets navn`, `Navn på den, det drejer sig om`
  concernedsName: /^(?=.*navn).*(barn|børn|elev|\bung|borger|vedrør|drejer|handler|angår|søn|datter)/,
  // Without whose it is, it may be the sender’s: it counts beside a CPR number only.
  name: /^(fulde |fuldt |for- og efter)?navn\W*$/,
  // `Dit cpr-nr.`, `Mors CPR-nummer`, `Underretters navn`, `Navn på barnets skole`
  somebodyElses: new RegExp(
    [
      /\b(dit|mit)\s+(eget\s+)?(cpr|person|navn|fulde)/,
      /\b(mor|far)(s|en|ens)?\b|moder|fader|foræld|værge|ægtefælle|samlever|partner|søskende/,
      /afsender|anmelder|underretter|indberetter|henvender|kontaktperson|sagsbehandler/,
      /skole|institution|dagtilbud|børnehave|vuggestue/,
    ]
      .map(({ source }) => source)
      .join('|'),
  ),
};

function concerningByLabel(contactInfo: ContactInfo): Concerning {
  const fields = contactInfo
    .map(({ label, value }) => ({ label: label.toLowerCase(), value: value.trim() }))
    .filter(({ label, value }) => value !== '' && !LABELS.somebodyElses.test(label));
  const [id] = fields.flatMap(({ label, value }) => (LABELS.cprNumber.test(label) ? (cprNumberOf(value) ?? []) : []));
  const isName = (label: string) => LABELS.concernedsName.test(label) || (id !== undefined && LABELS.name.test(label));
  return { id, name: fields.find(({ label }) => isName(label) && !LABELS.cprNumber.test(label))?.value };
}
