import { escapeAttribute } from '@indbakke/shared/xml';
import { PORT_2, TYPES_2 } from './namespaces.js';
import { bindingOperation, messageOf, portOperation } from './operations.js';
import { TYPES_2_SCHEMA } from './types-2.js';

/** What Serviceplatformen calls here, by the names of the elements in the Body. */
const OPERATIONS = [
  {
    name: 'FordelingsobjektModtag',
    request: 'FordelingsobjektModtagRequest',
    response: 'FordelingsobjektModtagResponse',
    soapAction: '',
  },
  // Of the sender’s side: receipts for what was sent on from here. The WSDL of that side is not published with the types, so
  // the name of the operation is assumed; the element in the Body is in the types.
  {
    name: 'FordelingskvitteringModtag',
    request: 'FordelingskvitteringModtagAnvenderRequest',
    response: 'FordelingskvitteringModtagAnvenderResponse',
    soapAction: '',
  },
];

/**
 * The WSDL 1.1 of what Indbakke serves of SF2900: SOAP 1.1, document/literal. Service, port and operations have the names that
 * Serviceplatformen’s WSDL of a recipient gives them.
 *
 * @param address URL of both operations
 */
export function recipientWsdlAt(address: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<wsdl:definitions name="DistributionServiceModtager" targetNamespace="${PORT_2}" xmlns:tns="${PORT_2}" xmlns:types="${TYPES_2}"
    xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/">
<wsdl:types>
${TYPES_2_SCHEMA}
</wsdl:types>${OPERATIONS.map(({ request, response }) => messageOf(request) + messageOf(response)).join('')}${messageOf(
    'TransportKvittering',
  )}
  <wsdl:portType name="DistributionReceiverWebServicePort">${OPERATIONS.map(portOperation).join('')}
  </wsdl:portType>
  <wsdl:binding name="DistributionServiceModtagerBinding" type="tns:DistributionReceiverWebServicePort">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>${OPERATIONS.map(bindingOperation).join('')}
  </wsdl:binding>
  <wsdl:service name="DistributionServiceModtager">
    <wsdl:port name="DistributionReceiverWebServicePort" binding="tns:DistributionServiceModtagerBinding">
      <soap:address location="${escapeAttribute(address)}"/>
    </wsdl:port>
  </wsdl:service>
</wsdl:definitions>
`;
}
