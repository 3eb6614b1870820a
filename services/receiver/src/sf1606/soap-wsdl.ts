import { MEMO_NAMESPACE } from '@indbakke/shared/memo';
import { escapeAttribute } from '@indbakke/shared/xml';

// assumed: real SF1606 is REST and has no WSDL; names and namespace are ours, the fields Digital Post’s receipt model
export const SF1606_NAMESPACE = 'urn:indbakke:sf1606:1';

/**
 * The WSDL 1.1 of PostModtag: SOAP 1.1, document/literal. The request contains any one element of MeMo, so that MeMo’s rules
 * are in one place, the parser.
 *
 * @param address URL of the operation
 */
export function wsdlAt(address: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<wsdl:definitions name="SF1606" targetNamespace="${SF1606_NAMESPACE}" xmlns:tns="${SF1606_NAMESPACE}"
    xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <wsdl:types>
    <xs:schema targetNamespace="${SF1606_NAMESPACE}" elementFormDefault="qualified">
      <xs:element name="PostModtagRequest">
        <xs:complexType>
          <xs:sequence>
            <xs:any namespace="${MEMO_NAMESPACE}" processContents="lax"/>
          </xs:sequence>
        </xs:complexType>
      </xs:element>
      <xs:element name="PostModtagResponse" type="tns:ReceiptType"/>
      <xs:element name="PostModtagFault" type="tns:ReceiptType"/>
      <xs:complexType name="ReceiptType">
        <xs:sequence>
          <xs:element name="transmissionId" type="xs:string"/>
          <xs:element name="messageUUID" type="xs:string" minOccurs="0"/>
          <xs:element name="errorCode" type="xs:string" minOccurs="0"/>
          <xs:element name="errorMessage" type="xs:string" minOccurs="0"/>
          <xs:element name="timeStamp" type="xs:dateTime"/>
          <xs:element name="receiptStatus" type="tns:ReceiptStatusType"/>
        </xs:sequence>
      </xs:complexType>
      <xs:simpleType name="ReceiptStatusType">
        <xs:restriction base="xs:string">
          <xs:enumeration value="COMPLETED"/>
          <xs:enumeration value="INVALID"/>
          <xs:enumeration value="NOT_ALLOWED"/>
        </xs:restriction>
      </xs:simpleType>
    </xs:schema>
  </wsdl:types>
  <wsdl:message name="PostModtagRequest">
    <wsdl:part name="parameters" element="tns:PostModtagRequest"/>
  </wsdl:message>
  <wsdl:message name="PostModtagResponse">
    <wsdl:part name="parameters" element="tns:PostModtagResponse"/>
  </wsdl:message>
  <wsdl:message name="PostModtagFault">
    <wsdl:part name="fault" element="tns:PostModtagFault"/>
  </wsdl:message>
  <wsdl:portType name="PostModtagPortType">
    <wsdl:operation name="PostModtag">
      <wsdl:input message="tns:PostModtagRequest"/>
      <wsdl:output message="tns:PostModtagResponse"/>
      <wsdl:fault name="PostModtagFault" message="tns:PostModtagFault"/>
    </wsdl:operation>
  </wsdl:portType>
  <wsdl:binding name="PostModtagBinding" type="tns:PostModtagPortType">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <wsdl:operation name="PostModtag">
      <soap:operation soapAction=""/>
      <wsdl:input><soap:body use="literal"/></wsdl:input>
      <wsdl:output><soap:body use="literal"/></wsdl:output>
      <wsdl:fault name="PostModtagFault"><soap:fault name="PostModtagFault" use="literal"/></wsdl:fault>
    </wsdl:operation>
  </wsdl:binding>
  <wsdl:service name="PostModtagService">
    <wsdl:port name="PostModtagPort" binding="tns:PostModtagBinding">
      <soap:address location="${escapeAttribute(address)}"/>
    </wsdl:port>
  </wsdl:service>
</wsdl:definitions>
`;
}
