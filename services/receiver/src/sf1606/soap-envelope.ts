import { Problem } from '@indbakke/shared/errors';
import { MEMO_NAMESPACE } from '@indbakke/shared/memo';
import type { XmlDocument, XmlElement } from '@indbakke/shared/xml';
import { bodyIn, onlyChild } from '../soap/envelope.js';
import { SF1606_NAMESPACE } from './soap-wsdl.js';

/**
 * The MeMo message of a PostModtag envelope.
 *
 * @throws Problem not-memo with the path in the envelope
 */
export function messageIn({ root, messages }: XmlDocument): XmlElement {
  const body = bodyIn(root, 'not-memo');
  const asked = { uri: SF1606_NAMESPACE, local: 'PostModtagRequest' };
  const request = onlyChild(body, [asked], 'Envelope/Body', 'not-memo');
  const memo = { uri: MEMO_NAMESPACE, local: 'Message' };
  const message = onlyChild(request, [memo], 'Envelope/Body/PostModtagRequest', 'not-memo');
  // The other one is in a header, and XmlDocument.message refers to it.
  if (messages > 1) throw new Problem('not-memo', 'There is a MeMo message outside the Body.', { path: 'Envelope' });
  return message;
}
