import { uuidOf } from '@indbakke/shared/ids';
import type { DistributionContext } from '@indbakke/shared/lifecycle';
import { at, needed, neededValue, type Place, textAt } from './elements.js';

// SF2900 2.4, CVR
const cvrOf = (text: string) => (/^\d{8}$/.test(text) ? text : undefined);
// SF2900 2.4, KLE
const kleOf = (text: string) => (/^\d\d\.\d\d\.\d\d$/.test(text) ? text : undefined);
// SF2900 2.4, Facet
const facetOf = (text: string) => (/^[A-ZÆØÅ]\d\d$/.test(text) ? text : undefined);

/**
 * How the document was addressed. All of it is needed: the receipts repeat it, and are written strictly.
 *
 * @throws Problem not-sf2900
 */
export function readContext(request: Place): DistributionContext {
  const context = needed(request, 'anmodning', 'DistributionContext');
  return { ...readTransaction(context), routing: readRouting(needed(context, 'RoutingValg')) };
}

/**
 * Between whom a document goes, and how each side calls that.
 *
 * @throws Problem not-sf2900
 */
export function readTransaction(context: Place): Omit<DistributionContext, 'routing'> {
  return {
    transactionId: neededValue(context, 'AnvenderTransaktionsID', uuidOf, 'UUID'),
    distributionId: uuidOf(textAt(context, 'DistributionTransktionsID') ?? ''),
    sender: neededValue(context, 'AfsendendeMyndighed', cvrOf, 'CVR number'),
    municipality: neededValue(context, 'RoutingMyndighed', cvrOf, 'CVR number'),
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
  const own = kleOf(textAt(object, 'KLEEmneForslag') ?? '');
  if (own) return withFacet(own, facetOf(textAt(object, 'HandlingFacetForslag') ?? ''));
  return 'kle' in routing ? withFacet(routing.kle, routing.facet) : undefined;
}

const withFacet = (number: string, facet: string | undefined): string => (facet ? `${number}.${facet}` : number);
