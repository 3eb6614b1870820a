import type { Problem } from '@indbakke/shared/errors';
import type { ReceiverConfig } from '../config.js';
import type { Fields } from '../soap/calls.js';
import { EnvelopeProblem, faultcodeOf } from '../soap/envelope.js';
import { renderEnvelope } from '../soap/render-envelope.js';
import { TYPES_2 } from './wsdl/namespaces.js';

/**
 * SF2900 2.4, Forretningskvittering of the kind Teknisk: whether the document is understood, and stored. Which code says yes is not
 * laid down: ACCEPTERET by the service’s description, MODTAGET by a recipient in the field.
 */
export function accepted({ SF2900_RECEIPT_CODE }: Pick<ReceiverConfig, 'SF2900_RECEIPT_CODE'>): Fields {
  return receipt({ ForretningsValideringsKode: SF2900_RECEIPT_CODE, Kvitteringstype: 'Teknisk' });
}

const receipt = (fields: Fields): Fields => ({ ForretningsKvittering: fields });

/** An answer that is not made by the `soap` package: most refusals arise before it is called. */
export interface Answer {
  readonly status: 200 | 500;
  readonly xml: string;
}

/** The answer of what could not be read to a delivery that an operator has decided to accept. */
export const renderAccepted = (config: Pick<ReceiverConfig, 'SF2900_RECEIPT_CODE'>): string =>
  renderResponse(accepted(config));

/**
 * A document that is refused for good is AFVIST, which its sender hears at once. Where the same one may be taken later, or the
 * fault is not the document’s, the answer is a Fault with TransportKvittering.
 */
export function refusalOf(problem: Problem): Answer {
  if (!isOfDocument(problem)) return faultOf(problem);
  const fields = {
    ForretningsValideringsKode: 'AFVIST',
    Kvitteringstype: 'Teknisk',
    Begrundelse: problem.detail,
    ...faultsOf(problem),
  };
  return { status: 200, xml: renderResponse(receipt(fields)) };
}

/** A Fault with TransportKvittering. */
export function faultOf(problem: Problem): Answer {
  const { detail } = problem;
  const transport = { TransportValideringsKode: 'FEJL', Begrundelse: detail, ...faultsOf(problem) };
  const fault = {
    faultcode: `soap:${faultcodeOf(problem)}`,
    faultstring: textOf(problem),
    detail: { TransportKvittering: { $: { xmlns: TYPES_2 }, ...transport } },
  };
  return { status: 500, xml: renderEnvelope({ 'soap:Fault': fault }) };
}

const textOf = ({ detail, path = '' }: Problem) => (detail.includes(path) ? detail : `${detail} (${path})`);

const faultsOf = (problem: Problem) => ({
  FejlListe: { Fejl: { FejlKode: problem.code, FejlTekst: textOf(problem) } },
});

/** Else the caller or its envelope is at fault, or we are, and the document is not to blame. */
function isOfDocument(problem: Problem): boolean {
  const isOfCall = problem instanceof EnvelopeProblem || OF_THE_CALL.has(problem.code);
  return problem.row.fault === 'peer' && !problem.row.again && !isOfCall;
}

const OF_THE_CALL: ReadonlySet<string> = new Set(['caller-not-allowed', 'unsupported-media-type']);

const renderResponse = (fields: Fields): string =>
  renderEnvelope({ FordelingsobjektModtagResponse: { $: { xmlns: TYPES_2 }, ...fields } });

/** The answer to a receipt that is recorded. */
export const RECEIPT_TAKEN = renderEnvelope({ FordelingskvitteringModtagAnvenderResponse: { $: { xmlns: TYPES_2 } } });
