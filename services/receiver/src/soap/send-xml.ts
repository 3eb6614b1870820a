import { allowPage, publicUrlOf } from '@indbakke/shared/http';
import { type Response, Router } from 'express';

/** Answers with a SOAP envelope, or a WSDL. */
export function sendXml(res: Response, status: number, xml: string): void {
  res.status(status).type('text/xml; charset=utf-8').send(xml);
}

/** `GET <path>?wsdl`. @param wsdlAt the WSDL, by the URL of the operations */
export function wsdlRoute(path: string, wsdlAt: (address: string) => string): Router {
  const router = Router();
  router.get(path, (req, res, next) => {
    if (!Object.keys(req.query).some((name) => name.toLowerCase() === 'wsdl')) return next();
    res.locals.operation = `GET ${path}?wsdl`;
    // It names the host as this caller knows it, so it must not be cached for another.
    res.set('Cache-Control', 'no-store');
    allowPage(res, { 'img-src': 'data:', 'style-src': "'unsafe-inline'" }); // by which browsers show XML
    sendXml(res, 200, wsdlAt(`${publicUrlOf(req)}${path}`));
  });
  return router;
}
