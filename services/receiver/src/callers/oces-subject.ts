import 'reflect-metadata'; // for @peculiar/x509
import { Name } from '@peculiar/x509';

/** Who an OCES3 certificate was issued to: an organisation, and one of its systems. */
export interface OcesSubject {
  readonly cvr: string;
  /** Of the system. It stays when the certificate is renewed, and is all that differs between production and external test. */
  readonly uuid: string;
}

const ORGANIZATION_IDENTIFIER = '2.5.4.97';
const SERIAL_NUMBER = '2.5.4.5';

/**
 * Reads the subject of an OCES3 certificate: organizationIdentifier `NTRDK-<CVR>`, serialNumber `UI:DK-O:G:<UUID>`. By the ids of
 * its attributes, since their names and order differ between programs.
 *
 * @param subject DER of the name
 * @returns undefined when it is no such subject, or has one of them twice
 */
export function ocesSubjectOf(subject: ArrayBuffer | Uint8Array<ArrayBuffer>): OcesSubject | undefined {
  const name = new Name(subject);
  const cvr = only(name.getField(ORGANIZATION_IDENTIFIER), /^NTRDK-(\d{8})$/);
  const uuid = only(name.getField(SERIAL_NUMBER), /^UI:DK-O:G:([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/i);
  return cvr && uuid ? { cvr, uuid: uuid.toLowerCase() } : undefined;
}

function only(values: readonly string[], pattern: RegExp): string | undefined {
  return values.length === 1 ? pattern.exec(values[0] as string)?.[1] : undefined;
}
