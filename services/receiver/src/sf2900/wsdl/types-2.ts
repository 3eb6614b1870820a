import { TYPES_2 } from './namespaces.js';

// The element names, their order and their values are those of SF2900 (Serviceplatformen, version 2 of the types). The names
// of the types are ours: they are not on the wire.

const RECEIPTS = `
  <xs:element name="TransportKvittering" type="t:TransportReceipt"/>
  <xs:complexType name="TransportReceipt">
    <xs:sequence>
      <xs:element name="TransportValideringsKode" type="t:TransportCode"/>
      <xs:element name="Begrundelse" type="xs:string" minOccurs="0"/>
      <xs:element name="FejlListe" type="t:Faults" minOccurs="0"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="Receipt">
    <xs:sequence>
      <xs:element name="ForretningsValideringsKode" type="t:ReceiptCode"/>
      <xs:element name="Kvitteringstype" type="t:ReceiptKind"/>
      <xs:element name="Begrundelse" type="xs:string" minOccurs="0"/>
      <xs:element name="FejlListe" type="t:Faults" minOccurs="0"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="Faults">
    <xs:sequence>
      <xs:element name="Fejl" minOccurs="0" maxOccurs="unbounded">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="FejlKode" type="xs:string"/>
            <xs:element name="FejlTekst" type="xs:string"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
    </xs:sequence>
  </xs:complexType>${oneOf('TransportCode', 'OK', 'ADVARSEL', 'FEJL')}${oneOf(
    'ReceiptCode',
    'MODTAGET',
    'AFLEVERET',
    'ACCEPTERET',
    'AFVIST',
    'FEJLET',
  )}${oneOf('ReceiptKind', 'Teknisk', 'Forretning', 'Digital post')}`;

const MESSAGES = `
  <xs:element name="FordelingsobjektModtagRequest">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="anmodning" type="t:Distribution"/>
      </xs:sequence>
    </xs:complexType>
  </xs:element>
  <xs:element name="FordelingsobjektModtagResponse">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="ForretningsKvittering" type="t:Receipt"/>
      </xs:sequence>
    </xs:complexType>
  </xs:element>
  <xs:element name="FordelingskvitteringModtagAnvenderRequest">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="Forretningskvittering" type="t:Receipt"/>
        <xs:element name="DistributionContext" type="t:Context"/>
      </xs:sequence>
    </xs:complexType>
  </xs:element>
  <xs:element name="FordelingskvitteringModtagAnvenderResponse">
    <xs:complexType/>
  </xs:element>
  <xs:complexType name="Distribution">
    <xs:sequence>
      <xs:element name="DistributionContext" type="t:Context"/>
      <xs:element name="DistributionObject">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="ObjektType" type="t:ObjectKind"/>
            <xs:element name="ObjektIndhold" type="t:ObjectContent"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="Context">
    <xs:sequence>
      <xs:element name="AnvenderTransaktionsID" type="t:Uuid"/>
      <xs:element name="DistributionTransktionsID" type="t:Uuid" minOccurs="0"/>
      <xs:element name="DigitalPostMeddelelsesID" type="xs:string" minOccurs="0"/>
      <xs:element name="AfsendendeMyndighed" type="t:Cvr"/>
      <xs:element name="RoutingMyndighed" type="t:Cvr"/>
      <xs:element name="RoutingValg" type="t:Route"/>
      <xs:element name="DokumentFilNavn" type="xs:string" minOccurs="0"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="Route">
    <xs:choice>
      <xs:element name="RoutingModtagerAktoer" type="t:Uuid"/>
      <xs:element name="RoutingKLEEmneHandling">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="RoutingKLEEmne" type="t:KleSubject"/>
            <xs:element name="RoutingHandlingFacet" type="t:KleFacet" minOccurs="0"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
    </xs:choice>
  </xs:complexType>${oneOf('ObjectKind', 'DOKUMENT', 'JOURNALPOST', 'FORMULAR')}
  <xs:complexType name="ObjectContent">
    <xs:choice minOccurs="0">
      <xs:element name="DistributionDokument" type="t:Document"/>
      <xs:element name="DistributionJournalPost" type="t:JournalEntry"/>
      <xs:element name="DistributionFormular" type="t:Form"/>
    </xs:choice>
  </xs:complexType>`;

const DOCUMENT = `
  <xs:complexType name="Document">
    <xs:sequence>
      <xs:element name="ID" type="t:Uuid"/>
      <xs:element name="KLEEmneForslag" type="t:KleSubject"/>
      <xs:element name="HandlingFacetForslag" type="t:KleFacet" minOccurs="0"/>
      <xs:element name="SagForslag" type="t:Uuid" minOccurs="0"/>
      <xs:element name="Registrering" type="t:DocumentRegistration"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="DocumentRegistration">
    <xs:sequence>
      <xs:group ref="t:Registered"/>
      <xs:element name="RelationListe">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="VariantListe" type="t:Variants"/>
            <xs:element name="DokumentPartListe" type="t:DocumentParties" minOccurs="0"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
      <xs:element name="TilstandsListe" type="t:States" maxOccurs="unbounded"/>
      <xs:element name="AttributListe">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="Attributter" type="t:DocumentAttributes" maxOccurs="unbounded"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="Variants">
    <xs:sequence>
      <xs:element name="Variant" maxOccurs="unbounded">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="Virkning" type="t:Effect"/>
            <xs:element name="Rolle" type="t:VariantRole"/>
            <xs:element name="Indeks" type="xs:string"/>
            <xs:element name="VariantAttributter" type="t:VariantAttributes"/>
            <xs:element name="DelAttributter" type="t:FileAttributes"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
    </xs:sequence>
  </xs:complexType>${oneOf('VariantRole', 'Variant')}
  <xs:complexType name="VariantAttributes">
    <xs:sequence>
      <xs:element name="VariantType" type="xs:string"/>
      <xs:element name="Produktion" type="xs:string" minOccurs="0"/>
      <xs:element name="Offentliggoerelse" type="xs:boolean" minOccurs="0"/>
      <xs:element name="Arkivering" type="xs:boolean" minOccurs="0"/>
      <xs:element name="DelvistScannet" type="xs:boolean" minOccurs="0"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="FileAttributes">
    <xs:sequence>
      <xs:element name="DelTekst" type="xs:string"/>
      <xs:element name="Indeks" type="xs:integer" minOccurs="0"/>
      <xs:element name="Indhold" type="xs:string" minOccurs="0"/>
      <xs:element name="Filstoerrelse" type="xs:integer" minOccurs="0"/>
      <xs:element name="MimeType" type="xs:string" minOccurs="0"/>
      <xs:element name="ScannerID" type="xs:string" minOccurs="0"/>
      <xs:element name="Location" type="xs:string" minOccurs="0"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="DocumentParties">
    <xs:sequence>
      <xs:element name="DokumentPart" maxOccurs="unbounded">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="Virkning" type="t:Effect"/>
            <xs:element name="Rolle" type="t:DocumentPartyRole"/>
            <xs:element name="Indeks" type="xs:integer"/>
            <xs:element name="Part" type="t:Party"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
    </xs:sequence>
  </xs:complexType>${oneOf('DocumentPartyRole', 'PrimaerPart', 'SekundaerPart', 'KopiModtager')}
  <xs:complexType name="States">
    <xs:sequence>
      <xs:element name="Tilstand" maxOccurs="unbounded">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="Fremdrift" type="t:Progress"/>
            <xs:element name="Virkning" type="t:Effect"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
    </xs:sequence>
  </xs:complexType>${oneOf(
    'Progress',
    'Modtaget',
    'Fordelt',
    'UnderUdarbejdelse',
    'UnderReview',
    'Endeligt',
    'Afleveret',
  )}
  <xs:complexType name="DocumentAttributes">
    <xs:sequence>
      <xs:element name="BrugervendtNoegleTekst" type="xs:string"/>
      <xs:element name="TitelTekst" type="xs:string"/>
      <xs:element name="BeskrivelseTekst" type="xs:string"/>
      <xs:element name="Dokumenttype" type="t:DocumentKind"/>
      <xs:element name="Retning" type="t:Direction"/>
      <xs:element name="Brevdato" type="xs:date"/>
      <xs:element name="Fristdato" type="xs:date" minOccurs="0"/>
      <xs:element name="VersionIdentifikator" type="xs:integer" minOccurs="0"/>
      <xs:element name="UnderversionIdentificator" type="xs:integer" minOccurs="0"/>
      <xs:element name="KassationskodeTekst" type="xs:string" minOccurs="0"/>
      <xs:element name="Virkning" type="t:Effect"/>
      <xs:element name="OffentlighedUndtaget" type="t:Exemption" minOccurs="0"/>
    </xs:sequence>
  </xs:complexType>${oneOf(
    'DocumentKind',
    'Faktura',
    'Brev',
    'Notat',
    'Rapport',
    'Dagsorden',
    'Refereat', // so spelt
    'eMail',
    'Anden',
  )}${oneOf('Direction', 'Indgaaende', 'Udgaaende', 'InterntInd', 'InterntUd', 'Internt')}`;

const JOURNAL_ENTRY = `
  <xs:complexType name="JournalEntry">
    <xs:sequence>
      <xs:element name="ID" type="t:Uuid"/>
      <xs:element name="KLEEmneForslag" type="t:KleSubject"/>
      <xs:element name="HandlingFacetForslag" type="t:KleFacet" minOccurs="0"/>
      <xs:element name="SagForslag" type="t:Uuid" minOccurs="0"/>
      <xs:element name="PartAngivelse" type="t:Party" minOccurs="0"/>
      <xs:element name="Registrering">
        <xs:complexType>
          <xs:sequence>
            <xs:group ref="t:Registered"/>
            <xs:element name="RelationListe" type="t:JournalRelations"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="JournalRelations">
    <xs:sequence>
      <xs:element name="JournalPost" maxOccurs="unbounded">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="Virkning" type="t:Effect"/>
            <xs:element name="Rolle" type="t:JournalRole"/>
            <xs:element name="Indeks" type="xs:string"/>
            <xs:element name="Dokument" type="t:JournalDocument" minOccurs="0"/>
            <xs:element name="JournalpostAttributter" type="t:EntryAttributes" minOccurs="0"/>
            <xs:element name="JournalnotatAttributter" type="t:NoteAttributes"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
    </xs:sequence>
  </xs:complexType>${oneOf('JournalRole', 'Journalpost')}
  <xs:complexType name="JournalDocument">
    <xs:sequence>
      <xs:element name="Objekttype" type="t:JournalDocumentKind"/>
      <xs:element name="ReferenceID" type="t:Reference"/>
    </xs:sequence>
  </xs:complexType>${oneOf('JournalDocumentKind', 'Dokument')}
  <xs:complexType name="EntryAttributes">
    <xs:sequence>
      <xs:element name="Dokumenttitel" type="xs:string" minOccurs="0"/>
      <xs:element name="OffentlighedUndtaget" type="t:Exemption" minOccurs="0"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="NoteAttributes">
    <xs:sequence>
      <xs:element name="Titel" type="xs:string" minOccurs="0"/>
      <xs:element name="Notat" type="xs:string"/>
    </xs:sequence>
  </xs:complexType>`;

const FORM = `
  <xs:complexType name="Form">
    <xs:sequence>
      <xs:element name="ID" type="t:Uuid"/>
      <xs:element name="KLEEmneForslag" type="t:KleSubject"/>
      <xs:element name="HandlingFacetForslag" type="t:KleFacet" minOccurs="0"/>
      <xs:element name="Meddelelse">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="FormularType" type="xs:string"/>
            <xs:element name="Formular" type="t:FormContent"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="FormContent">
    <xs:sequence>
      <xs:element name="TitelTekst" type="xs:string"/>
      <xs:element name="FormatNavn" type="xs:string"/>
      <xs:element name="FormularIndhold" type="xs:base64Binary"/>
      <xs:element name="FormularXML">
        <xs:complexType>
          <xs:sequence>
            <xs:any processContents="skip"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
    </xs:sequence>
  </xs:complexType>`;

const SHARED = `
  <xs:group name="Registered">
    <xs:sequence>
      <xs:element name="FraTidsPunkt" type="xs:dateTime"/>
      <xs:element name="LivscyklusKode" type="t:LifeCycle"/>
      <xs:element name="ImportTidspunkt" type="xs:dateTime" minOccurs="0"/>
      <xs:element name="BrugerRef" type="t:Reference" minOccurs="0"/>
      <xs:element name="RegistreringItSystem" type="t:Reference"/>
    </xs:sequence>
  </xs:group>${oneOf('LifeCycle', 'Oprettet')}
  <xs:complexType name="Effect">
    <xs:sequence>
      <xs:element name="FraTidspunkt" type="xs:dateTime" minOccurs="0"/>
      <xs:element name="TilTidspunkt" type="xs:dateTime" minOccurs="0"/>
      <xs:element name="Aktoer" type="t:Reference"/>
      <xs:element name="AktoerType" type="t:ActorKind"/>
      <xs:element name="NoteTekst" type="xs:string" minOccurs="0"/>
    </xs:sequence>
  </xs:complexType>${oneOf(
    'ActorKind',
    'Organisation',
    'OrganisationEnhed',
    'OrganisationFunktion',
    'Bruger',
    'ItSystem',
    'Interessefaellesskab',
  )}
  <xs:complexType name="Party">
    <xs:sequence>
      <xs:element name="ObjektType" type="t:PartyKind"/>
      <xs:element name="ReferenceID" type="t:ReferenceOrText"/>
    </xs:sequence>
  </xs:complexType>${oneOf(
    'PartyKind',
    'Person',
    'Virksomhed',
    'Organisation',
    'OrgEnhed',
    'OrgFunktion',
    'Interesse-faellesskab',
    'Bruger',
  )}
  <xs:complexType name="Exemption">
    <xs:sequence>
      <xs:element name="TitelAlternativTekst" type="xs:string"/>
      <xs:element name="HjemmelTekst" type="xs:string"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="Reference">
    <xs:choice>
      <xs:element name="UUID" type="t:Uuid"/>
      <xs:element name="URN" type="t:Urn"/>
    </xs:choice>
  </xs:complexType>
  <xs:complexType name="ReferenceOrText">
    <xs:choice>
      <xs:element name="UUID" type="t:Uuid"/>
      <xs:element name="URN" type="t:Urn"/>
      <xs:element name="Tekst" type="xs:string"/>
    </xs:choice>
  </xs:complexType>${textLike('Uuid', '[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}')}${textLike(
    'Urn',
    String.raw`[Uu][Rr][Nn]:[A-Za-z0-9][A-Za-z0-9\-]{0,30}[A-Za-z0-9]:[A-Za-z0-9()+,.:=@;$_!*'%/?#\\\-]+`,
  )}${textLike('Cvr', '[0-9]{8}')}${textLike('KleSubject', '[0-9]{2}[.][0-9]{2}[.][0-9]{2}')}${textLike(
    'KleFacet',
    '[A-Z,ÆØÅ][0-9]{2}', // with the comma
  )}`;

/** The XML schema of TYPES_2, without an XML declaration: to be put into a WSDL, or a file of its own. */
export const TYPES_2_SCHEMA = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="${TYPES_2}"
    targetNamespace="${TYPES_2}" elementFormDefault="qualified">${MESSAGES}${RECEIPTS}${DOCUMENT}${JOURNAL_ENTRY}${FORM}${SHARED}
</xs:schema>`;

function oneOf(type: string, ...values: string[]): string {
  return simpleType(
    type,
    values.map((value) => `<xs:enumeration value="${value}"/>`),
  );
}

function textLike(type: string, pattern: string): string {
  return simpleType(type, [`<xs:pattern value="${pattern}"/>`]);
}

function simpleType(type: string, facets: readonly string[]): string {
  return `
  <xs:simpleType name="${type}">
    <xs:restriction base="xs:string">
      ${facets.join('\n      ')}
    </xs:restriction>
  </xs:simpleType>`;
}
