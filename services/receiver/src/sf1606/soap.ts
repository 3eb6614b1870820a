import { addressOf, charsetOf } from '@indbakke/shared/http';
import { Router } from 'express';
import { echoTransaction, recordReceipt, recordRefusal } from '../delivery/answers.js';
import type { EndpointParts } from '../delivery/endpoint-parts.js';
import { readBody } from '../delivery/read-body.js';
import { receiveMessage } from '../intake/receive-message.js';
import { readMessage } from '../memo/read-message.js';
import { createCalls } from '../soap/calls.js';
import { sendXml, wsdlRoute } from '../soap/send-xml.js';
import { completed } from './receipt.js';
import { fieldsOf } from './render-receipt.js';
import { messageIn } from './soap-envelope.js';
import { renderFault, renderResponse } from './soap-fault.js';
import { wsdlAt } from './soap-wsdl.js';

export const SOAP_PATH = '/sf1606/soap';
const MEDIA_TYPE = 'text/xml'; // SOAP 1.1, §6
const OPERATION = 'PostModtag';

/** PostModtag over SOAP 1.1: the Body contains the MeMo; the answer is its receipt or a Fault. */
export function soapEndpoint(parts: EndpointParts): Router {
  const beginCall = createCalls({
    path: SOAP_PATH,
    wsdl: wsdlAt(`http://localhost${SOAP_PATH}`),
    service: 'PostModtagService',
    port: 'PostModtagPort',
    operations: { [OPERATION]: { withToken: (token) => token, tokenIn: textOf } },
    refusal: 'not-memo',
  });
  const router = Router();

  router.post(SOAP_PATH, async (req, res) => {
    res.locals.operation = `POST ${SOAP_PATH}`;
    const counting = { ...parts, endpoint: 'soap', startedAt: performance.now() };
    echoTransaction(req, res);
    try {
      const body = readBody(req, res, { mediaTypes: [MEDIA_TYPE], wrapped: true, ...parts });
      const call = beginCall();
      const read = readMessage(parts, {
        body: body.stream,
        trail: body.trail,
        charset: () => charsetOf(req.get('content-type')),
        async findMessage(document) {
          const message = messageIn(document);
          await call.enter(document, OPERATION);
          return message;
        },
      });
      const delivery = { endpoint: 'soap', body } as const;
      const intake = await receiveMessage(parts, { channel: 'sf1606', origin: addressOf(req), delivery }, read);
      recordReceipt(intake, counting);
      const receipt = completed(intake);
      // The package may have found no call to answer in what could not be read.
      const isRead = intake.outcome !== 'answer-accepted';
      sendXml(res, 200, isRead ? await call.answer(fieldsOf(receipt)) : renderResponse(receipt));
    } catch (error) {
      const problem = recordRefusal(error, res, counting);
      // SOAP 1.1, §6.2 and WS-I Basic Profile 1.1, R1126: a Fault has status 500. Even where HTTP has 403, 413 or 415, as many
      // clients read a Fault with no other status.
      sendXml(res, 500, renderFault(problem));
    }
  });

  router.use(wsdlRoute(SOAP_PATH, wsdlAt));
  return router;
}

/** The package passes text as a string, or as $value when the element has attributes. */
function textOf(request: unknown): string {
  const text = typeof request === 'object' && request !== null && '$value' in request ? request.$value : request;
  return String(text);
}
