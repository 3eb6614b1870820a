/** An operation of a WSDL whose messages are named as their elements, with TransportKvittering as its fault. */
export interface Operation {
  readonly name: string;
  readonly request: string;
  readonly response: string;
  readonly soapAction: string;
}

/** @param element also the name of the message */
export const messageOf = (element: string): string => `
  <wsdl:message name="${element}">
    <wsdl:part name="parameters" element="types:${element}"/>
  </wsdl:message>`;

export const portOperation = ({ name, request, response }: Operation): string => `
    <wsdl:operation name="${name}">
      <wsdl:input message="tns:${request}"/>
      <wsdl:output message="tns:${response}"/>
      <wsdl:fault name="TransportKvittering" message="tns:TransportKvittering"/>
    </wsdl:operation>`;

export const bindingOperation = ({ name, soapAction }: Operation): string => `
    <wsdl:operation name="${name}">
      <soap:operation soapAction="${soapAction}"/>
      <wsdl:input><soap:body use="literal"/></wsdl:input>
      <wsdl:output><soap:body use="literal"/></wsdl:output>
      <wsdl:fault name="TransportKvittering"><soap:fault name="TransportKvittering" use="literal"/></wsdl:fault>
    </wsdl:operation>`;
