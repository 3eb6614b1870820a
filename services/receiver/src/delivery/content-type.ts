// RFC 7303, 4 and 8.1: application/xml and any +xml, but for that of SOAP 1.2, which is not spoken here; and what clients say
// that know no better.
const MAY_BE_XML =
  /^(?:|(?:application|text)\/xml|(?!application\/soap\+)[^/]+\/[^/]+\+xml|text\/plain|application\/octet-stream)$/;

/** Whether a body of this media type may be a message; the parser tells XML from anything else at its first byte. */
export function mayBeXml(mediaType: string): boolean {
  return MAY_BE_XML.test(mediaType);
}
