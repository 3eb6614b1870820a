import type { Fields } from './write-xml.js';

/** A document of one file (DistributionDokument). */
export interface SentDocument {
  /** A UUID. */
  readonly id: string;
  /** A subject of KLE, 27.24.00. */
  readonly kle: string;
  /** Of KLE, G01. */
  readonly facet?: string | undefined;
  /** By which people know it (BrugervendtNoegleTekst). */
  readonly key: string;
  readonly title: string;
  readonly description: string;
  /** The day of the letter, 2026-01-15. */
  readonly letterDate: string;
  readonly registeredAt: Date;
  /** UUID of the system that registered it: ours. */
  readonly systemId: string;
  readonly file: { readonly bytes: number; readonly mimeType: string };
  /** Whom it concerns. */
  readonly party?: DocumentParty | undefined;
}

export interface DocumentParty {
  readonly kind: 'Person' | 'Virksomhed';
  readonly urn: string;
}

/** Its children, in their order: what SF2900 demands, and what Indbakke knows. */
export function fieldsOfDocument(document: SentDocument): Fields {
  const system = { UUID: document.systemId };
  const effect = { Aktoer: system, AktoerType: 'ItSystem' };
  return {
    ID: document.id,
    KLEEmneForslag: document.kle,
    HandlingFacetForslag: document.facet,
    Registrering: {
      FraTidsPunkt: document.registeredAt.toISOString(),
      LivscyklusKode: 'Oprettet',
      RegistreringItSystem: system,
      RelationListe: relationsOf(document, effect),
      TilstandsListe: { Tilstand: { Fremdrift: 'Endeligt', Virkning: effect } },
      AttributListe: {
        Attributter: {
          BrugervendtNoegleTekst: document.key,
          TitelTekst: document.title,
          BeskrivelseTekst: document.description,
          Dokumenttype: 'Brev',
          Retning: 'Indgaaende',
          Brevdato: document.letterDate,
          Virkning: effect,
        },
      },
    },
  };
}

function relationsOf({ file, party }: SentDocument, effect: Fields): Fields {
  return {
    VariantListe: {
      Variant: {
        Virkning: effect,
        Rolle: 'Variant',
        Indeks: '1',
        VariantAttributter: { VariantType: 'Original' },
        DelAttributter: {
          DelTekst: 'Hele dokumentet',
          Indeks: 1,
          Filstoerrelse: file.bytes,
          MimeType: file.mimeType,
        },
      },
    },
    DokumentPartListe: party && {
      DokumentPart: {
        Virkning: effect,
        Rolle: 'PrimaerPart',
        Indeks: 1,
        Part: { ObjektType: party.kind, ReferenceID: { URN: party.urn } },
      },
    },
  };
}
