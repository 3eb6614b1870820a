import { Router } from 'express';
import type { EndpointParts } from '../delivery/endpoint-parts.js';
import { restEndpoint } from './rest.js';
import { soapEndpoint } from './soap.js';

/** SF1606, Digital Post: one operation, over REST and over SOAP. */
export function sf1606Routes(parts: EndpointParts): Router {
  const router = Router();
  router.use(restEndpoint(parts));
  if (parts.config.SF1606_SOAP === 'on') router.use(soapEndpoint(parts));
  return router;
}
