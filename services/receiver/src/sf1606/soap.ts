import { Problem } from '@indbakke/shared/errors';
import type { Metrics } from '@indbakke/shared/metrics';
import { type Request, type Response, Router } from 'express';
import { type IntakeParts, takeIn } from '../intake/take-in.js';
import { echoTransaction, recordRefusal } from './answers.js';
import { readBody } from './read-body.js';
import { messageIn } from './soap-envelope.js';
import { renderFault } from './soap-fault.js';
import { createPostModtag } from './soap-operation.js';
import { wsdlAt } from './soap-wsdl.js';
import type { Uploads } from './uploads.js';

export const SOAP_PATH = '/sf1606/soap';
// SOAP 1.1, §6: text/xml. The other is of those who send REST too.
const MEDIA_TYPES = ['text/xml', 'application/xml'];

/** PostModtag over SOAP 1.1: the body of the envelope holds the MeMo message, the answer its receipt or a Fault. */
export function soapMouth(parts: IntakeParts, uploads: Uploads, metrics: Metrics): Router {
  const beginCall = createPostModtag(SOAP_PATH);
  const router = Router();

  router.post(SOAP_PATH, async (req, res) => {
    res.locals.operation = `POST ${SOAP_PATH}`;
    echoTransaction(req, res);
    try {
      const body = readBody(req, res, { mediaTypes: MEDIA_TYPES, wrapped: true, uploads, config: parts.config });
      const call = beginCall();
      const { receipt, outcome } = await takeIn(parts, {
        channel: 'sf1606',
        body,
        async findMessage(root, split) {
          const message = messageIn(root, split);
          await call.enter(split);
          return message;
        },
      });
      metrics.intake.inc({ mouth: 'soap', outcome });
      sendXml(res, 200, await call.answer(receipt));
    } catch (error) {
      const problem = recordRefusal(error, res, { log: parts.log, metrics, mouth: 'soap' });
      // SOAP 1.1, §6.2 and WS-I Basic Profile 1.1, R1126: a Fault comes with 500. Also when the headers alone rule the
      // request out, where HTTP has 403, 413 and 415: many clients read a Fault under no other status than 500.
      sendXml(res, 500, renderFault(problem));
    }
  });

  router.get(SOAP_PATH, (req, res, next) => {
    if (!Object.keys(req.query).some((name) => name.toLowerCase() === 'wsdl')) return next();
    res.locals.operation = `GET ${SOAP_PATH}?wsdl`;
    // It names the host as this caller knows it, so no cache may give it to another.
    res.set('Cache-Control', 'no-store');
    sendXml(res, 200, wsdlAt(`${originOf(req)}${SOAP_PATH}`));
  });

  return router;
}

function sendXml(res: Response, status: number, xml: string): void {
  res.status(status).type('text/xml; charset=utf-8').send(xml);
}

/**
 * Scheme, host and port that the caller used. A proxy must pass the Host header on; that it ended TLS it tells in
 * X-Forwarded-Proto.
 */
function originOf(req: Request): string {
  const host = req.get('host') ?? '';
  if (!/^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(host)) {
    throw new Problem('bad-request', 'The Host header is not a host name with or without a port.');
  }
  const forwarded = req.get('x-forwarded-proto')?.toLowerCase();
  return `${forwarded === 'https' ? 'https' : req.protocol}://${host}`;
}
