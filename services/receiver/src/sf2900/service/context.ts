import type { DistributionContext } from '@indbakke/shared/lifecycle';
import type { Fields } from './write-xml.js';

/** The children of DistributionContext, in their order. @param fileName on the SFTP server */
export function fieldsOfContext(context: DistributionContext, fileName?: string): Fields {
  return {
    AnvenderTransaktionsID: context.transactionId,
    DistributionTransktionsID: context.distributionId,
    AfsendendeMyndighed: context.sender,
    RoutingMyndighed: context.municipality,
    RoutingValg: fieldsOfRouting(context.routing),
    DokumentFilNavn: fileName,
  };
}

function fieldsOfRouting(routing: DistributionContext['routing']): Fields {
  if ('actor' in routing) return { RoutingModtagerAktoer: routing.actor };
  return { RoutingKLEEmneHandling: { RoutingKLEEmne: routing.kle, RoutingHandlingFacet: routing.facet } };
}
