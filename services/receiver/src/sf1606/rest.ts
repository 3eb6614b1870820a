import type { Metrics } from '@indbakke/shared/metrics';
import { type Request, type Response, Router } from 'express';
import type { Receipt } from '../intake/receipt.js';
import { type IntakeParts, takeIn } from '../intake/take-in.js';
import { echoTransaction, recordRefusal } from './answers.js';
import { messagePart } from './multipart.js';
import { readBody } from './read-body.js';
import { refusal, renderJson, renderXml } from './render-receipt.js';
import type { Uploads } from './uploads.js';

// assumed: path, method and media types of SF1606’s EP_FS1 PostModtag are not public (docs/standards.md)
export const REST_PATH = '/sf1606/PostModtag';
const MEDIA_TYPES = ['application/xml', 'text/xml'];
const FORM = 'multipart/form-data';

/** SF1606 over REST: the body is the MeMo message, or a form that holds it; the answer is its receipt. */
export function restMouth(parts: IntakeParts, uploads: Uploads, metrics: Metrics): Router {
  const router = Router();
  router.post(REST_PATH, async (req, res) => {
    res.locals.operation = `POST ${REST_PATH}`;
    try {
      const form = req.is(FORM) !== false;
      const body = readBody(req, res, {
        mediaTypes: [...MEDIA_TYPES, FORM],
        wrapped: form,
        uploads,
        config: parts.config,
      });
      const { receipt, outcome } = await takeIn(parts, {
        channel: 'sf1606',
        body: form ? messagePart(body, req.get('content-type') ?? '') : body,
        findMessage: (root) => root,
      });
      metrics.intake.inc({ mouth: 'rest', outcome });
      sendReceipt(req, res, 200, receipt);
    } catch (error) {
      const problem = recordRefusal(error, res, { log: parts.log, metrics, mouth: 'rest' });
      sendReceipt(req, res, problem.row.http, refusal(problem));
    }
  });
  return router;
}

function sendReceipt(req: Request, res: Response, status: number, receipt: Receipt): void {
  echoTransaction(req, res);
  const asJson = req.accepts(['application/xml', 'text/xml', 'application/json']) === 'application/json';
  res.status(status).type(asJson ? 'application/json' : 'application/xml');
  // Not res.send(), which makes an ETag first: nobody asks for a receipt again by GET.
  res.end(asJson ? renderJson(receipt) : renderXml(receipt));
}
