const DISTRIBUTION = 'http://serviceplatformen.dk/xml/wsdl/soap11/DistributionService';

/** What is distributed, and its receipts. */
export const TYPES_2 = `${DISTRIBUTION}/2/types`;
/** The wrappers of Serviceplatformen’s own operations, around types of version 2. */
export const TYPES_3 = `${DISTRIBUTION}/3/types`;
/** The operations of a system that receives. */
export const PORT_2 = `${DISTRIBUTION}/2/port`;
/** The operations of Serviceplatformen. */
export const PORT_3 = `${DISTRIBUTION}/3/port`;

export const CALL_CONTEXT = 'http://serviceplatformen.dk/xml/schemas/CallContext/1/';
export const AUTHORITY_CONTEXT = 'http://serviceplatformen.dk/xml/schemas/AuthorityContext/1/';

/** SF2900, WSDL of the distribution service: by operation. An operation of a system that receives has the empty one. */
export const SOAP_ACTIONS = {
  FordelingsobjektAfsend: `${PORT_3}/FordelingsobjektAfsend`,
  FordelingskvitteringModtag: `${PORT_3}/FordelingskvitteringModtag`,
} as const;
