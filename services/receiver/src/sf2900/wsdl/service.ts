import { escapeAttribute } from '@indbakke/shared/xml';
import { PORT_3, SOAP_ACTIONS, TYPES_3 } from './namespaces.js';
import { bindingOperation, messageOf, portOperation } from './operations.js';
import { TYPES_2_SCHEMA } from './types-2.js';
import { AUTHORITY_CONTEXT_SCHEMA, CALL_CONTEXT_SCHEMA, TYPES_3_SCHEMA } from './types-3.js';

const OPERATIONS = Object.entries(SOAP_ACTIONS).map(([name, soapAction]) => ({
  name,
  request: `${name}Request`,
  response: `${name}Response`,
  soapAction,
}));

/**
 * The WSDL 1.1 of what Indbakke calls of Serviceplatformen’s Distribution/3, two of its operations.
 *
 * @param address URL of the service
 */
export function serviceWsdlAt(address: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<wsdl:definitions name="DistributionService" targetNamespace="${PORT_3}" xmlns:tns="${PORT_3}" xmlns:types="${TYPES_3}"
    xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/">
<wsdl:types>
${CALL_CONTEXT_SCHEMA}
${AUTHORITY_CONTEXT_SCHEMA}
${TYPES_2_SCHEMA}
${TYPES_3_SCHEMA}
</wsdl:types>${OPERATIONS.map(({ request, response }) => messageOf(request) + messageOf(response)).join('')}${messageOf(
    'TransportKvittering',
  )}
  <wsdl:portType name="DistributionWebServicePort">${OPERATIONS.map(portOperation).join('')}
  </wsdl:portType>
  <wsdl:binding name="DistributionServiceBinding" type="tns:DistributionWebServicePort">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>${OPERATIONS.map(bindingOperation).join('')}
  </wsdl:binding>
  <wsdl:service name="DistributionService">
    <wsdl:port name="DistributionServiceWebServicePort" binding="tns:DistributionServiceBinding">
      <soap:address location="${escapeAttribute(address)}"/>
    </wsdl:port>
  </wsdl:service>
</wsdl:definitions>
`;
}
