import { cprNumberOf, cvrNumberOf } from '@indbakke/shared/ids';
import type { Party, PartyRole, PartyType } from '@indbakke/shared/lifecycle';
import { all, at, type Place, textAt } from './elements.js';

// SF2900 2.4, DokumentPart/Rolle
const ROLES: Readonly<Record<string, PartyRole>> = {
  PrimaerPart: 'primary',
  SekundaerPart: 'secondary',
  KopiModtager: 'copy',
};

// SF2900 2.4, Part/ObjektType
const TYPES: Readonly<Record<string, PartyType>> = {
  Person: 'person',
  Bruger: 'person',
  Virksomhed: 'organisation',
  Organisation: 'organisation',
  OrgEnhed: 'organisation',
  OrgFunktion: 'organisation',
  'Interesse-faellesskab': 'organisation',
};

/** The parties of a document, in its order. */
export function partiesOfDocument(relations: Place | undefined): Party[] {
  return all(at(relations, 'DokumentPartListe'), 'DokumentPart').flatMap((entry) =>
    partyIn(at(entry, 'Part'), ROLES[textAt(entry, 'Rolle') ?? ''] ?? 'secondary'),
  );
}

/** The party at a Part, if it names one. */
export function partyIn(part: Place | undefined, role: PartyRole): Party[] {
  const reference = at(part, 'ReferenceID');
  const [urn, uuid, text] = [textAt(reference, 'URN'), textAt(reference, 'UUID'), textAt(reference, 'Tekst')];
  const id = urn === undefined ? (uuid ?? null) : numberIn(urn);
  if (id === null && text === undefined) return [];
  const number = text === undefined ? undefined : (cprNumberOf(text) ?? cvrNumberOf(text));
  const type = TYPES[textAt(part, 'ObjektType') ?? ''] ?? 'other';
  return [{ role, type, id: id ?? number ?? null, name: number === undefined ? (text ?? null) : null }];
}

/** `urn:oio:cpr-nr:4101019999` has a number at its end; the form is not laid down. */
function numberIn(urn: string): string {
  const last = urn.slice(urn.lastIndexOf(':') + 1);
  return cprNumberOf(last) ?? cvrNumberOf(last) ?? urn;
}
