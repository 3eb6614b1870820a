import { uuidOf } from '@indbakke/shared/ids';
import type { DistributionContext } from '@indbakke/shared/lifecycle';
import { at, needed, neededValue, type Place, textAt } from './elements.js';

// SF2900 2.4, CVR
const cvrOf = (text: string) => (/^\d{8}$/.test(text) ? text : undefined);
// SF2900 2.4, KLE; a real answer had 01.01.* (protocol facts)
const kleOf = (text: string) => (/^[\d*]{2}(\.[\d*]{1,2}){0,2}$/.test(text) ? text : undefined);
// SF2900 2.4, Facet
const facetOf = (text: string) => (/^[A-ZÆØÅ]\d\d$/.test(text) ? text : undefined);

/**
 * How the document was addressed. All of it is needed: the receipts repeat it, and are written strictly.
 *
 * @throws Problem not-sf2900
 */
export function readContext(request: Place): DistributionContext {
  const context = needed(request, 'anmodning', 'DistributionContext');
  return {
    transactionId: neededValue(context, 'AnvenderTransaktionsID', uuidOf, 'UUID'),
    distributionId: uuidOf(textAt(context, 'DistributionTransktionsID') ?? ''),
    sender: neededValue(context, 'AfsendendeMyndighed', cvrOf, 'CVR number'),
    municipality: neededValue(context, 'RoutingMyndighed', cvrOf, 'CVR number'),
    routing: readRouting(needed(context, 'RoutingValg')),
  };
}

function readRouting(choice: Place): DistributionContext['routing'] {
  const subject = at(choice, 'RoutingKLEEmneHandling');
  if (!subject) return { actor: neededValue(choice, 'RoutingModtagerAktoer', uuidOf, 'UUID') };
  return {
    kle: neededValue(subject, 'RoutingKLEEmne', kleOf, 'KLE number'),
    facet: facetOf(textAt(subject, 'RoutingHandlingFacet') ?? ''),
  };
}

/** What the document itself says that it is about, else what it was routed by: 27.24.00.G01. */
export function kleIn(object: Place, { routing }: DistributionContext): string | undefined {
  const routed = 'kle' in routing ? routing : undefined;
  const own = kleOf(textAt(object, 'KLEEmneForslag') ?? '');
  const number = own ?? routed?.kle;
  const facet = facetOf(textAt(object, 'HandlingFacetForslag') ?? '') ?? (own ? undefined : routed?.facet);
  // Of a number with a wildcard only the part before it says anything.
  const known = number?.replace(/\.?\*.*$/, '');
  return known ? [known, ...(facet && known === number ? [facet] : [])].join('.') : undefined;
}
