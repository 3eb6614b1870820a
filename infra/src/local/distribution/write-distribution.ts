import { randomUUID } from 'node:crypto';
import { Builder } from 'xml2js';

const NAMESPACES = {
  'xmlns:soapenv': 'http://schemas.xmlsoap.org/soap/envelope/',
  'xmlns:s': 'http://serviceplatformen.dk/xml/wsdl/soap11/DistributionService/3/types',
  'xmlns:d': 'http://serviceplatformen.dk/xml/wsdl/soap11/DistributionService/2/types',
  'xmlns:a': 'http://serviceplatformen.dk/xml/schemas/AuthorityContext/1/',
};
const SYSTEM = '0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9';

/** What writeDistribution writes as a request of SF2900; what is left out has a default. */
export interface DistributionSpec {
  readonly transactionId?: string;
  readonly distributionId?: string;
  readonly sender?: string;
  readonly recipient?: string;
  /** The subject and perhaps the facet that it is routed by; an actor’s id instead of them. */
  readonly routing?: { readonly kle: string; readonly facet?: string } | { readonly actor: string };
  /** Of the file on the SFTP server. */
  readonly fileName?: string;
  /** Default: a document. */
  readonly object?: DocumentSpec | JournalEntrySpec | FormSpec;
  readonly objectId?: string;
  readonly kle?: string;
  readonly facet?: string;
  readonly suggestedCase?: string;
  /** Of ObjektType, where it is to differ from the object. */
  readonly claimedType?: string;
  /** modtag = as the recipient’s WSDL says; afsend = the sender’s own request, of version 3. */
  readonly wrapper?: 'modtag' | 'afsend';
}

export interface DocumentSpec {
  readonly type: 'DOKUMENT';
  readonly title?: string;
  readonly description?: string;
  readonly letterDate?: string;
  readonly deadline?: string;
  readonly mimeType?: string;
  readonly parties?: readonly PartySpec[];
  readonly exemption?: { readonly title: string; readonly law: string };
}

export interface PartySpec {
  readonly role: 'PrimaerPart' | 'SekundaerPart' | 'KopiModtager';
  readonly type: string;
  readonly urn?: string;
  readonly text?: string;
}

export interface JournalEntrySpec {
  readonly type: 'JOURNALPOST';
  readonly title?: string;
  readonly note: string;
  readonly party?: Omit<PartySpec, 'role'>;
}

export interface FormSpec {
  readonly type: 'FORMULAR';
  readonly title?: string;
  readonly format?: string;
  readonly content: Buffer;
}

/** The envelope in UTF-8. */
export function writeDistribution(spec: DistributionSpec = {}): string {
  const { wrapper = 'modtag', recipient = '22222222' } = spec;
  const body =
    wrapper === 'modtag'
      ? { 'd:FordelingsobjektModtagRequest': { 'd:anmodning': anmodning(spec) } }
      : {
          's:FordelingsobjektAfsendRequest': {
            'a:AuthorityContext': { 'a:MunicipalityCVR': recipient },
            's:anmodning': anmodning(spec),
          },
        };
  return new Builder({ rootName: 'soapenv:Envelope', renderOpts: { pretty: false } }).buildObject({
    $: NAMESPACES,
    'soapenv:Body': body,
  });
}

function anmodning(spec: DistributionSpec) {
  const { transactionId = randomUUID(), distributionId = randomUUID(), sender = '11111111', fileName } = spec;
  const { recipient = '22222222', routing = { kle: '27.24.00', facet: 'G01' }, object = { type: 'DOKUMENT' } } = spec;
  return {
    'd:DistributionContext': {
      'd:AnvenderTransaktionsID': transactionId,
      'd:DistributionTransktionsID': distributionId,
      'd:AfsendendeMyndighed': sender,
      'd:RoutingMyndighed': recipient,
      'd:RoutingValg':
        'actor' in routing
          ? { 'd:RoutingModtagerAktoer': routing.actor }
          : {
              'd:RoutingKLEEmneHandling': {
                'd:RoutingKLEEmne': routing.kle,
                ...(routing.facet && { 'd:RoutingHandlingFacet': routing.facet }),
              },
            },
      ...(fileName !== undefined && { 'd:DokumentFilNavn': fileName }),
    },
    'd:DistributionObject': {
      'd:ObjektType': spec.claimedType ?? object.type,
      'd:ObjektIndhold': contentOf(object, spec),
    },
  };
}

function contentOf(object: NonNullable<DistributionSpec['object']>, spec: DistributionSpec) {
  const { objectId = randomUUID(), kle = '27.24.00', facet, suggestedCase } = spec;
  const common = {
    'd:ID': objectId,
    'd:KLEEmneForslag': kle,
    ...(facet && { 'd:HandlingFacetForslag': facet }),
    ...(suggestedCase && object.type !== 'FORMULAR' && { 'd:SagForslag': suggestedCase }),
  };
  switch (object.type) {
    case 'DOKUMENT':
      return { 'd:DistributionDokument': { ...common, 'd:Registrering': documentRegistration(object) } };
    case 'JOURNALPOST':
      return { 'd:DistributionJournalPost': { ...common, ...journalEntry(object) } };
    case 'FORMULAR':
      return { 'd:DistributionFormular': { ...common, 'd:Meddelelse': form(object) } };
  }
}

const EFFECT = {
  'd:FraTidspunkt': '2026-01-15T09:30:00+01:00',
  'd:Aktoer': { 'd:UUID': SYSTEM },
  'd:AktoerType': 'ItSystem',
};
const REGISTERED = {
  'd:FraTidsPunkt': '2026-01-15T09:30:00+01:00',
  'd:LivscyklusKode': 'Oprettet',
  'd:RegistreringItSystem': { 'd:UUID': SYSTEM },
};

function documentRegistration(document: DocumentSpec) {
  const { title = 'Udtalelse fra skole', description = 'Udtalelse', letterDate = '2026-01-15', deadline } = document;
  const { mimeType = 'application/pdf', parties = [], exemption } = document;
  return {
    ...REGISTERED,
    'd:RelationListe': {
      'd:VariantListe': {
        'd:Variant': {
          'd:Virkning': EFFECT,
          'd:Rolle': 'Variant',
          'd:Indeks': '1',
          'd:VariantAttributter': { 'd:VariantType': 'PDF' },
          'd:DelAttributter': { 'd:DelTekst': 'Hele dokumentet', 'd:MimeType': mimeType },
        },
      },
      ...(parties.length > 0 && {
        'd:DokumentPartListe': {
          'd:DokumentPart': parties.map(({ role, ...part }, at) => ({
            'd:Virkning': EFFECT,
            'd:Rolle': role,
            'd:Indeks': String(at + 1),
            'd:Part': partOf(part),
          })),
        },
      }),
    },
    'd:TilstandsListe': { 'd:Tilstand': { 'd:Fremdrift': 'Endeligt', 'd:Virkning': EFFECT } },
    'd:AttributListe': {
      'd:Attributter': {
        'd:BrugervendtNoegleTekst': 'DOK-2026-000123',
        'd:TitelTekst': title,
        'd:BeskrivelseTekst': description,
        'd:Dokumenttype': 'Brev',
        'd:Retning': 'Indgaaende',
        'd:Brevdato': letterDate,
        ...(deadline && { 'd:Fristdato': deadline }),
        'd:Virkning': EFFECT,
        ...(exemption && {
          'd:OffentlighedUndtaget': { 'd:TitelAlternativTekst': exemption.title, 'd:HjemmelTekst': exemption.law },
        }),
      },
    },
  };
}

function partOf({ type, urn, text }: Omit<PartySpec, 'role'>) {
  return {
    'd:ObjektType': type,
    'd:ReferenceID': urn === undefined ? { 'd:Tekst': text ?? '' } : { 'd:URN': urn },
  };
}

function journalEntry({ title = 'Telefonnotat', note, party }: JournalEntrySpec) {
  return {
    ...(party && { 'd:PartAngivelse': partOf(party) }),
    'd:Registrering': {
      ...REGISTERED,
      'd:RelationListe': {
        'd:JournalPost': {
          'd:Virkning': EFFECT,
          'd:Rolle': 'Journalpost',
          'd:Indeks': '1',
          'd:JournalnotatAttributter': { 'd:Titel': title, 'd:Notat': note },
        },
      },
    },
  };
}

function form({ title = 'Ansøgning', format = 'PDF', content }: FormSpec) {
  return {
    'd:FormularType': 'Ansoegning',
    'd:Formular': {
      'd:TitelTekst': title,
      'd:FormatNavn': format,
      'd:FormularIndhold': content.toString('base64'),
      'd:FormularXML': { felt: { $: { xmlns: 'urn:example:form' }, navn: 'barn' } },
    },
  };
}

/** Calls the recipient, as Serviceplatformen does. */
export function distribute(
  url: string,
  envelope: string | Uint8Array,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Response> {
  return fetch(`${url}/sf2900/soap`, {
    method: 'POST',
    headers: { 'content-type': 'text/xml; charset=utf-8', soapaction: '""' },
    body: envelope,
    ...(signal && { signal }),
  });
}
