import type { XmlElement, XmlFormat } from '@indbakke/shared/xml';
import type { Expected } from '../soap/envelope.js';
import { TYPES_2, TYPES_3 } from './wsdl/namespaces.js';

/** A document for us (SF2900, recipient WSDL). */
export const MODTAG: Expected = { uri: TYPES_2, local: 'FordelingsobjektModtagRequest' };
// Seen in the field: the sender’s own request, as if Fordelingskomponenten had passed it on as it is.
export const AFSEND: Expected = { uri: TYPES_3, local: 'FordelingsobjektAfsendRequest' };

/** A receipt of what was sent on from here (SF2900, WSDL of a sender). */
export const KVITTERING: Expected = { uri: TYPES_2, local: 'FordelingskvitteringModtagAnvenderRequest' };

const UUIDS = new Set([
  'AnvenderTransaktionsID',
  'DistributionTransktionsID',
  'RoutingModtagerAktoer',
  'ID',
  'SagForslag',
  'UUID',
]);

/** The requests of Fordelingskomponenten, as far as taking the files out of them is concerned. */
export const SF2900: XmlFormat = {
  isMessage: (element) => [MODTAG, AFSEND, KVITTERING].some((one) => isIt(element, one)),
  isFile: isFormContent,
  // Not in FormularXML, which is anybody’s XML.
  isContent: (element, parent) => isFormContent(element) && parent?.local === 'Formular',
  contentWord: 'FormularIndhold',
  // SF2900 2.4, UUID: either case
  isUuid: ({ uri, local }) => NAMESPACES.has(uri) && UUIDS.has(local),
  refusal: 'not-sf2900',
};

// The wrapper of version 3 has types of version 2 inside; senders mix the two up, or leave the namespace out.
export const NAMESPACES: ReadonlySet<string> = new Set([TYPES_2, TYPES_3, '']);

/** SF2900 2.4, FormularIndhold: base64. */
function isFormContent({ uri, local }: Expected): boolean {
  return NAMESPACES.has(uri) && local === 'FormularIndhold';
}

const isIt = (element: Pick<XmlElement, 'uri' | 'local'>, { uri, local }: Expected): boolean =>
  element.uri === uri && element.local === local;
