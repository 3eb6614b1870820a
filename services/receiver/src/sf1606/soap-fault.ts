import type { Problem } from '@indbakke/shared/errors';
import { faultcodeOf } from '../soap/envelope.js';
import { renderEnvelope } from '../soap/render-envelope.js';
import { type Receipt, refusal } from './receipt.js';
import { fieldsOf } from './render-receipt.js';
import { SF1606_NAMESPACE } from './soap-wsdl.js';

/**
 * A SOAP 1.1 Fault with the receipt of a refusal as its detail. Not rendered by the `soap` package: most faults arise before
 * it is called, and its own would quote its parser’s texts.
 */
export function renderFault(problem: Problem): string {
  const receipt = refusal(problem);
  return renderEnvelope({
    'soap:Fault': {
      faultcode: `soap:${faultcodeOf(problem)}`,
      faultstring: receipt.errorMessage,
      detail: { PostModtagFault: { $: { xmlns: SF1606_NAMESPACE }, ...fieldsOf(receipt) } },
    },
  });
}

/** The answer of PostModtag to a delivery that could not be read, whose receipt an operator has decided. */
export function renderResponse(receipt: Receipt): string {
  return renderEnvelope({ PostModtagResponse: { $: { xmlns: SF1606_NAMESPACE }, ...fieldsOf(receipt) } });
}
