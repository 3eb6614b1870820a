import type { Problem } from '@indbakke/shared/errors';
import { Builder } from 'xml2js';
import { refusal } from './receipt.js';
import { fieldsOf } from './render-receipt.js';
import { EnvelopeProblem } from './soap-envelope.js';
import { ENVELOPE_NAMESPACE, SF1606_NAMESPACE } from './soap-wsdl.js';

const xml = new Builder({
  rootName: 'soap:Envelope',
  xmldec: { version: '1.0', encoding: 'UTF-8' },
  renderOpts: { pretty: false },
});

/**
 * A refusal or failure as a SOAP 1.1 Fault with the receipt of a refusal as its detail. Not made by the `soap` package:
 * most are told before it has seen anything, and its own hold the texts of its parser.
 */
export function renderFault(problem: Problem): string {
  const receipt = refusal(problem);
  return xml.buildObject({
    $: { 'xmlns:soap': ENVELOPE_NAMESPACE },
    'soap:Body': {
      'soap:Fault': {
        faultcode: `soap:${faultcodeOf(problem)}`,
        faultstring: receipt.errorMessage,
        detail: { PostModtagFault: { $: { xmlns: SF1606_NAMESPACE }, ...fieldsOf(receipt) } },
      },
    },
  });
}

/** SOAP 1.1, §4.4.1: Client must change the message before it is sent again, with Server the same may succeed later. */
function faultcodeOf(problem: Problem): string {
  if (problem instanceof EnvelopeProblem) return problem.faultcode;
  return problem.row.fault === 'peer' ? 'Client' : 'Server';
}
