import { AUTHORITY_CONTEXT, CALL_CONTEXT, TYPES_2, TYPES_3 } from '../../src/sf2900/wsdl/namespaces.js';

/** An element of a message of SF2900, to be changed and written. */
export interface Element {
  readonly uri: string;
  readonly local: string;
  readonly content: string | readonly Element[];
  readonly attribute?: string;
}

/** An element of the types of version 2. */
export const v2 = (local: string, ...content: readonly [string] | readonly Element[]): Element =>
  element(TYPES_2, local, content);
export const v3 = (local: string, ...content: readonly Element[]): Element => element(TYPES_3, local, content);

function element(uri: string, local: string, content: readonly [string] | readonly Element[]): Element {
  const [first] = content;
  return { uri, local, content: typeof first === 'string' ? first : (content as readonly Element[]) };
}

const PREFIXES: Readonly<Record<string, string>> = {
  [TYPES_2]: 'd',
  [TYPES_3]: 's',
  [CALL_CONTEXT]: 'c',
  [AUTHORITY_CONTEXT]: 'a',
  'urn:other': 'o',
};
const DECLARATIONS = Object.entries(PREFIXES).map(([uri, prefix]) => ` xmlns:${prefix}="${uri}"`);

/** The messages in the Body of an envelope of SOAP 1.1: one, if it is to be valid. */
export const envelopeOf = (...messages: readonly Element[]): string => around(messages.map(written).join(''));

/** The message as the detail of a fault. */
export const faultOf = (message: Element): string =>
  around(
    `<S:Fault><faultcode>S:Server</faultcode><faultstring>fault</faultstring><detail>${written(message)}</detail></S:Fault>`,
  );

const around = (body: string) =>
  `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"${DECLARATIONS.join('')}><S:Body>${body}</S:Body></S:Envelope>`;

function written({ uri, local, content, attribute }: Element): string {
  const name = `${PREFIXES[uri]}:${local}`;
  const inner = typeof content === 'string' ? content : content.map(written).join('');
  return `<${name}${attribute ? ` ${attribute}=""` : ''}>${inner}</${name}>`;
}

const SYSTEM = '0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9';
const TIME = '2026-01-15T09:30:00+01:00';
const uuid = () => v2('UUID', SYSTEM);
const urn = () => v2('URN', 'urn:oio:cvr-nr:11111111');

const context = (route: Element) =>
  [
    v2('AnvenderTransaktionsID', '3f1c0a52-8f7e-4a58-9d0b-6b1b7f0c2a11'),
    v2('DistributionTransktionsID', 'a4d9c7e2-1b35-4c0e-8f4a-0e2d9b6c7f33'),
    v2('DigitalPostMeddelelsesID', 'd6b1'),
    v2('AfsendendeMyndighed', '11111111'),
    v2('RoutingMyndighed', '22222222'),
    v2('RoutingValg', route),
    v2('DokumentFilNavn', 'udtalelse.pdf'),
  ] as const;
const byKle = () => v2('RoutingKLEEmneHandling', v2('RoutingKLEEmne', '27.24.00'), v2('RoutingHandlingFacet', 'G01'));
const byActor = () => v2('RoutingModtagerAktoer', SYSTEM);

const effect = (actor = uuid()) =>
  v2(
    'Virkning',
    v2('FraTidspunkt', TIME),
    v2('TilTidspunkt', '2026-01-15T09:30:00'),
    v2('Aktoer', actor),
    v2('AktoerType', 'ItSystem'),
    v2('NoteTekst', 'note'),
  );
const registered = () => [
  v2('FraTidsPunkt', TIME),
  v2('LivscyklusKode', 'Oprettet'),
  v2('ImportTidspunkt', TIME),
  v2('BrugerRef', urn()),
  v2('RegistreringItSystem', uuid()),
];
const suggested = () => [v2('ID', SYSTEM), v2('KLEEmneForslag', '27.24.00'), v2('HandlingFacetForslag', 'Ø01')];
const exemption = () => v2('OffentlighedUndtaget', v2('TitelAlternativTekst', 'titel'), v2('HjemmelTekst', 'hjemmel'));
const party = (name: string, reference: Element) => v2(name, v2('ObjektType', 'Person'), v2('ReferenceID', reference));

const part = (reference: Element) =>
  v2('DokumentPart', effect(urn()), v2('Rolle', 'PrimaerPart'), v2('Indeks', '1'), party('Part', reference));

const variant = () =>
  v2(
    'Variant',
    effect(),
    v2('Rolle', 'Variant'),
    v2('Indeks', 'A1'),
    v2(
      'VariantAttributter',
      v2('VariantType', 'PDF'),
      v2('Produktion', 'produktion'),
      v2('Offentliggoerelse', 'true'),
      v2('Arkivering', '0'),
      v2('DelvistScannet', 'false'),
    ),
    v2(
      'DelAttributter',
      v2('DelTekst', 'hele'),
      v2('Indeks', '1'),
      v2('Indhold', 'indhold'),
      v2('Filstoerrelse', '183204'),
      v2('MimeType', 'application/pdf'),
      v2('ScannerID', 'scanner'),
      v2('Location', 'sted'),
    ),
  );

const dokument = () =>
  v2(
    'DistributionDokument',
    ...suggested(),
    v2('SagForslag', SYSTEM),
    v2(
      'Registrering',
      ...registered(),
      v2(
        'RelationListe',
        v2('VariantListe', variant()),
        v2('DokumentPartListe', part(uuid()), part(urn()), part(v2('Tekst', 'tekst'))),
      ),
      v2('TilstandsListe', v2('Tilstand', v2('Fremdrift', 'Endeligt'), effect())),
      v2(
        'AttributListe',
        v2(
          'Attributter',
          v2('BrugervendtNoegleTekst', 'DOK-1'),
          v2('TitelTekst', 'Udtalelse'),
          v2('BeskrivelseTekst', 'beskrivelse'),
          v2('Dokumenttype', 'Brev'),
          v2('Retning', 'Indgaaende'),
          v2('Brevdato', '2026-01-15'),
          v2('Fristdato', '2026-01-16'),
          v2('VersionIdentifikator', '1'),
          v2('UnderversionIdentificator', '2'),
          v2('KassationskodeTekst', 'B'),
          effect(),
          exemption(),
        ),
      ),
    ),
  );

const journalPost = () =>
  v2(
    'DistributionJournalPost',
    ...suggested(),
    v2('SagForslag', SYSTEM),
    party('PartAngivelse', v2('Tekst', 'tekst')),
    v2(
      'Registrering',
      ...registered(),
      v2(
        'RelationListe',
        v2(
          'JournalPost',
          effect(),
          v2('Rolle', 'Journalpost'),
          v2('Indeks', 'A1'),
          v2('Dokument', v2('Objekttype', 'Dokument'), v2('ReferenceID', urn())),
          v2('JournalpostAttributter', v2('Dokumenttitel', 'titel'), exemption()),
          v2('JournalnotatAttributter', v2('Titel', 'titel'), v2('Notat', 'notat')),
        ),
      ),
    ),
  );

const formular = () =>
  v2(
    'DistributionFormular',
    ...suggested(),
    v2(
      'Meddelelse',
      v2('FormularType', 'type'),
      v2(
        'Formular',
        v2('TitelTekst', 'titel'),
        v2('FormatNavn', 'format'),
        v2('FormularIndhold', 'SGVq'),
        v2('FormularXML', { uri: 'urn:other', local: 'Formular', content: 'tekst' }),
      ),
    ),
  );

const receipt = () => [
  v2('ForretningsValideringsKode', 'ACCEPTERET'),
  v2('Kvitteringstype', 'Forretning'),
  v2('Begrundelse', 'grund'),
  v2('FejlListe', v2('Fejl', v2('FejlKode', 'K-1'), v2('FejlTekst', 'tekst'))),
];

const distribution = (kind: string, content: Element) => [
  v2('DistributionContext', ...context(byKle())),
  v2('DistributionObject', v2('ObjektType', kind), v2('ObjektIndhold', content)),
];

const caller = () => [
  {
    uri: CALL_CONTEXT,
    local: 'CallContext',
    content: ['OnBehalfOfUser', 'CallersServiceCallIdentifier', 'AccountingInfo'].map((local) => ({
      uri: CALL_CONTEXT,
      local,
      content: local,
    })),
  },
  {
    uri: AUTHORITY_CONTEXT,
    local: 'AuthorityContext',
    content: [{ uri: AUTHORITY_CONTEXT, local: 'MunicipalityCVR', content: '22222222' }],
  },
];

const transportReceipt = (of: (local: string, ...content: readonly Element[]) => Element, uri: string) => {
  const text = (local: string, content: string) => ({ uri, local, content });
  return of(
    'TransportKvittering',
    text('TransportValideringsKode', 'FEJL'),
    text('Begrundelse', 'grund'),
    of('FejlListe', of('Fejl', text('FejlKode', 'K-1'), text('FejlTekst', 'tekst'))),
  );
};

/** Every message of SF2900 that is used, with every element. */
export const FULL_MESSAGES: readonly Element[] = [
  ...[
    ['DOKUMENT', dokument()] as const,
    ['JOURNALPOST', journalPost()] as const,
    ['FORMULAR', formular()] as const,
  ].map(([kind, content]) => v2('FordelingsobjektModtagRequest', v2('anmodning', ...distribution(kind, content)))),
  v2('FordelingsobjektModtagResponse', v2('ForretningsKvittering', ...receipt())),
  v2(
    'FordelingskvitteringModtagAnvenderRequest',
    v2('Forretningskvittering', ...receipt()),
    v2('DistributionContext', ...context(byActor())),
  ),
  v2('FordelingskvitteringModtagAnvenderResponse'),
  transportReceipt(v2, TYPES_2),
  v3('FordelingsobjektAfsendRequest', ...caller(), v3('anmodning', ...distribution('DOKUMENT', dokument()))),
  v3(
    'FordelingsobjektAfsendResponse',
    v3('ForretningsKvittering', ...receipt()),
    v3('DistributionContext', ...context(byActor())),
  ),
  v3(
    'FordelingskvitteringModtagRequest',
    ...caller(),
    v3('Forretningskvittering', ...receipt()),
    v3('DistributionContext', ...context(byActor())),
  ),
  v3('FordelingskvitteringModtagResponse'),
  transportReceipt(v3, TYPES_3),
];
