import { AUTHORITY_CONTEXT, CALL_CONTEXT, TYPES_2, TYPES_3 } from './namespaces.js';

// As SF2900 (Serviceplatformen, version 3 of the types), as far as it is used here.

/** The XML schema of TYPES_3, as TYPES_2_SCHEMA; it refers to the other three by their namespaces alone. */
export const TYPES_3_SCHEMA = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:w="${TYPES_3}" xmlns:t="${TYPES_2}"
    xmlns:call="${CALL_CONTEXT}" xmlns:authority="${AUTHORITY_CONTEXT}"
    targetNamespace="${TYPES_3}" elementFormDefault="qualified">
  <xs:import namespace="${TYPES_2}"/>
  <xs:import namespace="${CALL_CONTEXT}"/>
  <xs:import namespace="${AUTHORITY_CONTEXT}"/>
  <xs:group name="Caller">
    <xs:sequence>
      <xs:element ref="call:CallContext" minOccurs="0"/>
      <xs:element ref="authority:AuthorityContext" minOccurs="0"/>
    </xs:sequence>
  </xs:group>
  <xs:element name="FordelingsobjektAfsendRequest">
    <xs:complexType>
      <xs:sequence>
        <xs:group ref="w:Caller"/>
        <xs:element name="anmodning" type="t:Distribution"/>
      </xs:sequence>
    </xs:complexType>
  </xs:element>
  <xs:element name="FordelingsobjektAfsendResponse">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="ForretningsKvittering" type="t:Receipt"/>
        <xs:element name="DistributionContext" type="t:Context"/>
      </xs:sequence>
    </xs:complexType>
  </xs:element>
  <xs:element name="FordelingskvitteringModtagRequest">
    <xs:complexType>
      <xs:sequence>
        <xs:group ref="w:Caller"/>
        <xs:element name="Forretningskvittering" type="t:Receipt"/>
        <xs:element name="DistributionContext" type="t:Context"/>
      </xs:sequence>
    </xs:complexType>
  </xs:element>
  <xs:element name="FordelingskvitteringModtagResponse">
    <xs:complexType/>
  </xs:element>
  <xs:element name="TransportKvittering">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="TransportValideringsKode">
          <xs:simpleType>
            <xs:restriction base="xs:string">
              <xs:enumeration value="OK"/>
              <xs:enumeration value="ADVARSEL"/>
              <xs:enumeration value="FEJL"/>
            </xs:restriction>
          </xs:simpleType>
        </xs:element>
        <xs:element name="Begrundelse" type="xs:string" minOccurs="0"/>
        <xs:element name="FejlListe" minOccurs="0">
          <xs:complexType>
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
          </xs:complexType>
        </xs:element>
      </xs:sequence>
    </xs:complexType>
  </xs:element>
</xs:schema>`;

/** The XML schema of CALL_CONTEXT: what the caller calls its call. */
export const CALL_CONTEXT_SCHEMA = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:call="${CALL_CONTEXT}"
    targetNamespace="${CALL_CONTEXT}" elementFormDefault="qualified">
  <xs:element name="CallContext">
    <xs:complexType>
      <xs:all>
        <xs:element ref="call:OnBehalfOfUser" minOccurs="0"/>
        <xs:element ref="call:CallersServiceCallIdentifier" minOccurs="0"/>
        <xs:element ref="call:AccountingInfo" minOccurs="0"/>
      </xs:all>
    </xs:complexType>
  </xs:element>
  <xs:element name="OnBehalfOfUser" type="call:Text255"/>
  <xs:element name="CallersServiceCallIdentifier" type="call:Text255"/>
  <xs:element name="AccountingInfo" type="call:Text255"/>
  <xs:simpleType name="Text255">
    <xs:restriction base="xs:string">
      <xs:maxLength value="255"/>
    </xs:restriction>
  </xs:simpleType>
</xs:schema>`;

/** The XML schema of AUTHORITY_CONTEXT: for whom the call is made. */
export const AUTHORITY_CONTEXT_SCHEMA = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="${AUTHORITY_CONTEXT}"
    elementFormDefault="qualified">
  <xs:element name="AuthorityContext">
    <xs:complexType>
      <xs:all>
        <xs:element name="MunicipalityCVR">
          <xs:simpleType>
            <xs:restriction base="xs:string">
              <xs:pattern value="[0-9]{8}"/>
            </xs:restriction>
          </xs:simpleType>
        </xs:element>
      </xs:all>
    </xs:complexType>
  </xs:element>
</xs:schema>`;
