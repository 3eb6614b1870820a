import { addressOf, charsetOf } from '@indbakke/shared/http';
import type { Parts } from '@indbakke/shared/service';
import { type Response, Router } from 'express';
import { recordReceipt, recordRefusal } from '../delivery/answers.js';
import type { EndpointParts } from '../delivery/endpoint-parts.js';
import { readBody } from '../delivery/read-body.js';
import { receiveMessage } from '../intake/receive-message.js';
import { createCalls } from '../soap/calls.js';
import { bodyIn, onlyChild } from '../soap/envelope.js';
import { sendXml, wsdlRoute } from '../soap/send-xml.js';
import { AFSEND, KVITTERING, MODTAG } from './format.js';
import { readDelivery } from './object/read-delivery.js';
import { ReceiptInstead, takeReceipt } from './sending/take-receipt.js';
import { accepted, faultOf, RECEIPT_TAKEN, refusalOf, renderAccepted } from './technical-receipt.js';
import { TYPES_2 } from './wsdl/namespaces.js';
import { recipientWsdlAt } from './wsdl/recipient.js';

export const SF2900_PATH = '/sf2900/soap';
const MEDIA_TYPE = 'text/xml'; // SOAP 1.1, §6
const OPERATION = 'FordelingsobjektModtag';

/**
 * Documents from Fordelingskomponenten (SF2900, recipient WSDL): each is answered with its technical receipt. Receipts of what was sent
 * on from here come to the same address.
 *
 * @param onStored hears of each that is stored
 */
export function recipientEndpoint(parts: EndpointParts & Pick<Parts, 'store'>, onStored: () => void): Router {
  const beginCall = createCalls({
    path: SF2900_PATH,
    wsdl: recipientWsdlAt(`http://localhost${SF2900_PATH}`),
    service: 'DistributionServiceModtager',
    port: 'DistributionReceiverWebServicePort',
    operations: { [OPERATION]: { withToken: requestWith, tokenIn } },
    refusal: 'not-sf2900',
  });
  const router = Router();
  router.post(SF2900_PATH, async (req, res) => {
    res.locals.operation = `POST ${SF2900_PATH}`;
    const counting = { ...parts, endpoint: 'sf2900', startedAt: performance.now() };
    try {
      const body = readBody(req, res, { mediaTypes: [MEDIA_TYPE], wrapped: true, ...parts });
      const call = beginCall();
      const read = readDelivery(parts, {
        body: body.stream,
        trail: body.trail,
        charset: () => charsetOf(req.get('content-type')),
        async findRequest(document) {
          const request = onlyChild(
            bodyIn(document.root, 'not-sf2900'),
            [MODTAG, AFSEND, KVITTERING],
            'Envelope/Body',
            'not-sf2900',
          );
          if (request.local === KVITTERING.local) throw new ReceiptInstead(request);
          await call.enter(document, OPERATION);
          return request;
        },
      });
      const delivery = { endpoint: 'sf2900', body } as const;
      const intake = await receiveMessage(parts, { channel: 'sf2900', origin: addressOf(req), delivery }, read);
      recordReceipt(intake, counting);
      onStored();
      // The package may have found no call to answer in what could not be read.
      const isRead = intake.outcome !== 'answer-accepted';
      sendXml(res, 200, isRead ? await call.answer(accepted(parts.config)) : renderAccepted(parts.config));
    } catch (error) {
      if (error instanceof ReceiptInstead) return answerReceipt(parts, error, res, counting);
      const { status, xml } = refusalOf(recordRefusal(error, res, counting));
      sendXml(res, status, xml);
    }
  });
  router.use(wsdlRoute(SF2900_PATH, recipientWsdlAt));
  return router;
}

/** A receipt is read as a document is, up to where it turns out to be none. */
async function answerReceipt(
  { store }: EndpointParts & Pick<Parts, 'store'>,
  { request }: ReceiptInstead,
  res: Response,
  counting: Parameters<typeof recordRefusal>[2],
): Promise<void> {
  try {
    await takeReceipt(store, request);
    sendXml(res, 200, RECEIPT_TAKEN);
  } catch (error) {
    const { status, xml } = faultOf(recordRefusal(error, res, counting));
    sendXml(res, status, xml);
  }
}

/** Also in place of the wrapper of version 3, so that the package knows one operation only. */
const requestWith = (token: string): string =>
  `<${MODTAG.local} xmlns="${TYPES_2}"><anmodning>${token}</anmodning></${MODTAG.local}>`;

const tokenIn = (request: unknown): unknown =>
  typeof request === 'object' && request !== null && 'anmodning' in request ? request.anmodning : undefined;
