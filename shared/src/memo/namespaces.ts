/**
 * The namespaces of a MeMo message (MeMo_core.xsd and its imports). Elements are identified by namespace and local name,
 * never by prefix. 1.1 and 1.2 have the same ones; only Message/@memoVersion distinguishes them.
 */

/** The core elements: Message, MessageHeader, File and so on. */
export const MEMO_NAMESPACE = 'https://DigitalPost.dk/MeMo-1';
/** CPRdata, CVRdata, Address, EID, ProductionUnit, SEnumber, PropertyNumber. */
export const CORE_DATA_NAMESPACE = 'https://data.gov.dk/model/core/';
export const KLE_NAMESPACE = 'http://kle-online.dk/';
export const FORM_NAMESPACE = 'http://www.form-online.dk/';
export const GLN_NAMESPACE = 'https://www.gs1.dk/gs1-standarder/identifikation/gln-global-location-number/';
export const SOR_NAMESPACE = 'https://services.nsi.dk/en/Services/SOR';
export const EDUCATION_NAMESPACE =
  'https://www.dst.dk/da/TilSalg/Forskningsservice/Dokumentation/hoejkvalitetsvariable/elevregister-2/udd#';
export const MOTOR_NAMESPACE = 'https://motorregister.skat.dk/';

interface Named {
  readonly uri: string;
  readonly local: string;
}

/** MeMo 1.2, Message */
export function isMessage(element: Named): boolean {
  return element.uri === MEMO_NAMESPACE && element.local === 'Message';
}

/** MeMo 1.2, File */
export function isFile(element: Named | undefined): boolean {
  return element?.uri === MEMO_NAMESPACE && element.local === 'File';
}

/** MeMo 1.2, File/content. Its text is a file only if isFile of its parent. */
export function isContent(element: Named): boolean {
  return element.uri === MEMO_NAMESPACE && element.local === 'content';
}
