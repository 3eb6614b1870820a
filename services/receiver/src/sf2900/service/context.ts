import type { Fields } from './write-xml.js';

/** DistributionContext: of which distribution something is. */
export interface DistributionContext {
  /** The sender’s own id (AnvenderTransaktionsID), a UUID. */
  readonly senderTransactionId: string;
  /** Serviceplatformen’s (DistributionTransktionsID), a UUID. */
  readonly distributionTransactionId?: string | undefined;
  readonly digitalPostMessageId?: string | undefined;
  /** CVR. */
  readonly sendingAuthority: string;
  /** CVR. */
  readonly routingAuthority: string;
  readonly route: Route;
  /** On the SFTP server. */
  readonly fileName?: string | undefined;
}

/** By a subject of KLE, or to a system by its UUID. */
export type Route =
  | { readonly kle: string; readonly facet?: string | undefined; readonly actor?: undefined }
  | { readonly actor: string };

/** Its children, in their order. */
export function fieldsOfContext(context: DistributionContext): Fields {
  return {
    AnvenderTransaktionsID: context.senderTransactionId,
    DistributionTransktionsID: context.distributionTransactionId,
    DigitalPostMeddelelsesID: context.digitalPostMessageId,
    AfsendendeMyndighed: context.sendingAuthority,
    RoutingMyndighed: context.routingAuthority,
    RoutingValg: fieldsOfRoute(context.route),
    DokumentFilNavn: context.fileName,
  };
}

function fieldsOfRoute(route: Route): Fields {
  if (route.actor !== undefined) return { RoutingModtagerAktoer: route.actor };
  return { RoutingKLEEmneHandling: { RoutingKLEEmne: route.kle, RoutingHandlingFacet: route.facet } };
}
