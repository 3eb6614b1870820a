import { Builder } from 'xml2js';
import { ENVELOPE_NAMESPACE } from './envelope.js';

const xml = new Builder({
  rootName: 'soap:Envelope',
  xmldec: { version: '1.0', encoding: 'UTF-8' },
  renderOpts: { pretty: false },
});

/** An envelope of SOAP 1.1. @param namespaces of further prefixes in the Body, by `xmlns:…` */
export function renderEnvelope(body: object, namespaces: Readonly<Record<`xmlns:${string}`, string>> = {}): string {
  return xml.buildObject({ $: { 'xmlns:soap': ENVELOPE_NAMESPACE, ...namespaces }, 'soap:Body': body });
}
