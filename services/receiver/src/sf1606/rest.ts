import { addressOf, charsetOf, mediaTypeOf } from '@indbakke/shared/http';
import { type Request, type Response, Router } from 'express';
import { echoTransaction, recordReceipt, recordRefusal } from '../delivery/answers.js';
import type { EndpointParts } from '../delivery/endpoint-parts.js';
import { boundaryOf, messagePart } from '../delivery/multipart.js';
import { readBody } from '../delivery/read-body.js';
import { receiveMessage } from '../intake/receive-message.js';
import { readMessage } from '../memo/read-message.js';
import { completed, type Receipt, refusal } from './receipt.js';
import { renderJson, renderXml } from './render-receipt.js';

// assumed: path, method and media types of SF1606’s EP_FS1 PostModtag are not public (docs/standards.md)
export const REST_PATH = '/sf1606/PostModtag';
const MEDIA_TYPE = 'application/xml';
const FORM = 'multipart/form-data';

/** SF1606 over REST: the body is the MeMo, or a form that contains it; the answer is its receipt. */
export function restEndpoint(parts: EndpointParts): Router {
  const router = Router();
  router.post(REST_PATH, async (req, res) => {
    res.locals.operation = `POST ${REST_PATH}`;
    const counting = { ...parts, endpoint: 'rest', startedAt: performance.now() };
    try {
      const contentType = req.get('content-type') ?? '';
      const form = mediaTypeOf(contentType) === FORM;
      const body = readBody(req, res, {
        mediaTypes: [MEDIA_TYPE, FORM],
        wrapped: form,
        ...parts,
      });
      const read = readMessage(parts, {
        ...(form
          ? messagePart(body.stream, contentType)
          : { body: body.stream, charset: () => charsetOf(contentType) }),
        trail: body.trail,
        findMessage: ({ root }) => root,
      });
      const delivery = { endpoint: 'rest', body, boundary: form ? boundaryOf(contentType) : undefined } as const;
      const intake = await receiveMessage(parts, { channel: 'sf1606', origin: addressOf(req), delivery }, read);
      recordReceipt(intake, counting);
      sendReceipt(req, res, 200, completed(intake));
    } catch (error) {
      const problem = recordRefusal(error, res, counting);
      sendReceipt(req, res, problem.row.http, refusal(problem));
    }
  });
  return router;
}

function sendReceipt(req: Request, res: Response, status: number, receipt: Receipt): void {
  echoTransaction(req, res);
  const asJson = req.accepts(['application/xml', 'text/xml', 'application/json']) === 'application/json';
  res.status(status).type(asJson ? 'application/json' : 'application/xml');
  // Not res.send(), which computes an ETag: a receipt is never fetched by GET.
  res.end(asJson ? renderJson(receipt) : renderXml(receipt));
}
