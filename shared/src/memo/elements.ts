import { typeDiffers } from '../file-types/index.js';
import {
  CORE_DATA_NAMESPACE,
  EDUCATION_NAMESPACE,
  FORM_NAMESPACE,
  GLN_NAMESPACE,
  KLE_NAMESPACE,
  MEMO_NAMESPACE,
  MOTOR_NAMESPACE,
  SOR_NAMESPACE,
} from './namespaces.js';
import {
  boolean,
  comment,
  cprNumber,
  cvrNumber,
  date,
  dateTime,
  fileName,
  glnNumber,
  idType,
  language,
  licenseNumber,
  memoVersion,
  messageType,
  name,
  notification,
  pNumber,
  text,
  url,
  uuid,
} from './simple-types.js';
import {
  attribute,
  type Content,
  type FileContent,
  group,
  many,
  one,
  only11,
  optional,
  type Rule,
  requiredIn11,
  since12,
  some,
  vital,
} from './table.js';

/**
 * MeMo 1.1 and 1.2, element by element in document order. Source: MeMo_core.xsd and the schemas it imports, in both
 * versions.
 */

// MeMo 1.2, File
const content: Content = { kind: 'content' };
const isWhatItClaims: Rule = {
  field: 'encodingFormat',
  code: 'type-differs',
  holds({ encodingFormat = '', content }: { encodingFormat?: string; content?: FileContent }) {
    if (content?.detectedFormat === undefined || content.size === 0) return true;
    return !typeDiffers(encodingFormat, content.detectedFormat);
  },
};
export const file = group(
  MEMO_NAMESPACE,
  'File',
  { encodingFormat: one(name), filename: one(fileName), language: one(language), content: one(content) },
  [isWhatItClaims],
);

// MeMo 1.2, Action: Reservation or EntryPoint, or neither
const reservation = group(MEMO_NAMESPACE, 'Reservation', {
  description: one(text),
  reservationUUID: one(uuid),
  abstract: one(text),
  location: one(text),
  startDateTime: one(dateTime),
  endDateTime: one(dateTime),
  organizerMail: optional(text),
  organizerName: optional(text),
});
const entryPoint = group(MEMO_NAMESPACE, 'EntryPoint', { url: one(url) });
const action = group(MEMO_NAMESPACE, 'Action', {
  label: one(text),
  actionCode: one(text),
  startDateTime: optional(dateTime),
  endDateTime: optional(dateTime),
  reservation: optional(reservation),
  entryPoint: optional(entryPoint),
});

// MeMo 1.2, MessageBody
const mainDocument = group(MEMO_NAMESPACE, 'MainDocument', {
  mainDocumentID: optional(text),
  label: optional(text),
  files: many(file),
  actions: some(action),
});
const additionalDocument = group(MEMO_NAMESPACE, 'AdditionalDocument', {
  additionalDocumentID: optional(text),
  label: optional(text),
  files: many(file),
  actions: some(action),
});
const technicalDocument = group(MEMO_NAMESPACE, 'TechnicalDocument', {
  technicalDocumentID: optional(text),
  label: optional(text),
  files: many(file),
});
const messageBody = group(MEMO_NAMESPACE, 'MessageBody', {
  createdDateTime: one(dateTime),
  mainDocument: one(mainDocument),
  additionalDocuments: some(additionalDocument),
  technicalDocuments: some(technicalDocument),
});

// data.gov.dk core data, as used by MeMo 1.2 AttentionData and ContentData
const productionUnit = group(CORE_DATA_NAMESPACE, 'ProductionUnit', {
  productionUnitNumber: one(pNumber),
  productionUnitName: optional(text),
});
const addressPoint = group(CORE_DATA_NAMESPACE, 'AddressPoint', {
  geographicEastingMeasure: optional(text),
  geographicNorthingMeasure: optional(text),
  geographicHeightMeasure: optional(text),
});
const address = group(CORE_DATA_NAMESPACE, 'Address', {
  id: optional(text),
  addressLabel: optional(text),
  houseNumber: optional(text),
  door: optional(text),
  floor: optional(text),
  co: optional(text),
  zipCode: optional(text),
  city: optional(text),
  country: optional(text),
  addressPoint: optional(addressPoint),
});
const unstructuredAddress = group(CORE_DATA_NAMESPACE, 'UnstructuredAddress', { unstructured: one(text) });

// MeMo 1.2, AttentionData
const attentionData = group(MEMO_NAMESPACE, 'AttentionData', {
  attentionPerson: optional(
    group(MEMO_NAMESPACE, 'AttentionPerson', { personID: optional(text), label: optional(text) }),
  ),
  productionUnit: optional(productionUnit),
  globalLocationNumber: optional(
    group(GLN_NAMESPACE, 'GlobalLocationNumber', { globalLocationNumber: one(glnNumber), location: optional(text) }),
  ),
  eMail: optional(group(MEMO_NAMESPACE, 'EMail', { emailAddress: one(text), relatedAgent: optional(text) })),
  seNumber: optional(group(CORE_DATA_NAMESPACE, 'SEnumber', { seNumber: one(text), companyName: optional(text) })),
  telephone: optional(group(MEMO_NAMESPACE, 'Telephone', { telephoneNumber: one(text), relatedAgent: optional(text) })),
  eID: optional(group(CORE_DATA_NAMESPACE, 'EID', { eID: one(text), label: optional(text) })),
  contentResponsible: optional(
    group(MEMO_NAMESPACE, 'ContentResponsible', { contentResponsibleID: optional(text), label: optional(text) }),
  ),
  generatingSystem: optional(
    group(MEMO_NAMESPACE, 'GeneratingSystem', { generatingSystemID: one(text), label: optional(text) }),
  ),
  sorData: optional(group(SOR_NAMESPACE, 'SORdata', { sorIdentifier: one(text), entryName: optional(text) })),
  address: optional(address),
  unstructuredAddress: optional(unstructuredAddress),
});

// MeMo 1.2, ContactPoint
const contactPoint = group(MEMO_NAMESPACE, 'ContactPoint', {
  contactGroup: optional(text),
  contactPointID: one(name),
  label: optional(text),
  contactInfo: some(group(MEMO_NAMESPACE, 'ContactInfo', { label: one(text), value: one(text) }), 2),
});

// MeMo's guidance: a CPR number has 10 digits, a CVR number 8; the schema has text only.
function digitsFitType(id: 'senderID' | 'recipientID'): Rule {
  const digits: Readonly<Record<string, RegExp>> = { CPR: /^\d{10}$/, CVR: /^\d{8}$/ };
  return {
    field: id,
    code: 'wrong-number',
    holds: (party: Partial<Record<typeof id | 'idType', string>>) => {
      return party[id] === undefined || (digits[party.idType?.toUpperCase() ?? '']?.test(party[id]) ?? true);
    },
  };
}

// MeMo 1.2, Sender and Recipient: they differ in label and Representative
const representative = group(MEMO_NAMESPACE, 'Representative', {
  representativeID: optional(text),
  idType: optional(idType),
  idTypeLabel: optional(text),
  label: optional(text),
});
const sender = group(
  MEMO_NAMESPACE,
  'Sender',
  {
    senderID: one(name),
    idType: one(idType),
    idTypeLabel: optional(text),
    label: one(text),
    attentionData: optional(attentionData),
    contactPoint: optional(contactPoint),
    representative: since12(optional(representative)),
  },
  [digitsFitType('senderID')],
);
const recipient = group(
  MEMO_NAMESPACE,
  'Recipient',
  {
    recipientID: one(name),
    idType: one(idType),
    idTypeLabel: optional(text),
    label: optional(text),
    attentionData: optional(attentionData),
    contactPoint: optional(contactPoint),
  },
  [digitsFitType('recipientID')],
);

// MeMo 1.2, ContentData
const contentData = group(MEMO_NAMESPACE, 'ContentData', {
  cprData: optional(group(CORE_DATA_NAMESPACE, 'CPRdata', { cprNumber: one(cprNumber), name: optional(text) })),
  cvrData: optional(group(CORE_DATA_NAMESPACE, 'CVRdata', { cvrNumber: one(cvrNumber), companyName: optional(text) })),
  motorVehicle: optional(
    group(MOTOR_NAMESPACE, 'MotorVehicle', { licenseNumber: one(licenseNumber), chassisNumber: optional(text) }),
  ),
  propertyNumber: optional(group(CORE_DATA_NAMESPACE, 'PropertyNumber', { propertyNumber: one(text) })),
  caseID: optional(group(MEMO_NAMESPACE, 'CaseID', { caseID: one(text), caseSystem: one(text) })),
  kleData: optional(
    group(KLE_NAMESPACE, 'KLEdata', {
      subjectKey: one(text),
      version: one(text),
      activityFacet: optional(text),
      label: one(text),
    }),
  ),
  formData: optional(
    group(FORM_NAMESPACE, 'FORMdata', {
      taskKey: one(text),
      version: one(text),
      activityFacet: optional(text),
      label: one(text),
    }),
  ),
  productionUnit: optional(productionUnit),
  education: optional(
    group(EDUCATION_NAMESPACE, 'Education', { educationCode: one(text), educationName: optional(text) }),
  ),
  address: optional(address),
  unstructuredAddress: optional(unstructuredAddress),
  additionalContentData: some(
    group(MEMO_NAMESPACE, 'AdditionalContentData', {
      contentDataType: optional(text),
      contentDataName: one(text),
      contentDataValue: one(text),
    }),
    10,
  ),
});

// MeMo 1.2, ForwardData: only in forwarded messages
const forwardData = group(MEMO_NAMESPACE, 'ForwardData', {
  messageUUID: one(uuid),
  originalMessageDateTime: one(dateTime),
  originalSender: one(text),
  originalContentResponsible: optional(text),
  originalRepresentative: since12(optional(text)),
  contactPointID: optional(text),
  comment: optional(comment),
});

// MeMo 1.2, ReplyData: one entry for each message of the chain
const replyData = group(MEMO_NAMESPACE, 'ReplyData', {
  messageID: optional(text),
  messageUUID: one(uuid),
  replyUUID: optional(uuid),
  senderID: optional(text),
  recipientID: optional(text),
  caseID: optional(text),
  contactPointID: optional(text),
  generatingSystemID: optional(text),
  comment: optional(comment),
  additionalReplyData: some(group(MEMO_NAMESPACE, 'AdditionalReplyData', { label: one(text), value: one(text) }), 4),
});

// MeMo 1.2, MessageHeader
const messageHeader = group(MEMO_NAMESPACE, 'MessageHeader', {
  messageType: one(messageType),
  messageUUID: vital(uuid, 'no-message-uuid'),
  messageID: optional(text),
  messageCode: optional(text),
  label: one(text),
  notification: optional(notification),
  additionalNotification: optional(text),
  reply: optional(boolean),
  replyByDateTime: optional(dateTime),
  doNotDeliverUntilDate: optional(date),
  mandatory: requiredIn11(optional(boolean)),
  legalNotification: requiredIn11(optional(boolean)),
  postType: optional(text),
  sender: one(sender),
  recipient: one(recipient),
  contentData: optional(contentData),
  forwardData: optional(forwardData),
  replyData: some(replyData),
});

// MeMo 1.2, Message. Only NEMSMS has no body.
export const message = group(
  MEMO_NAMESPACE,
  'Message',
  {
    version: attribute('memoVersion', one(memoVersion)),
    schemaVersion: attribute('memoSchVersion', only11(one(text))),
    header: vital(messageHeader, 'not-memo'),
    body: optional(messageBody),
  },
  [
    {
      field: 'body',
      code: 'missing-element',
      holds: (of: { header?: { messageType?: string }; body?: object }) => {
        return of.body !== undefined || of.header?.messageType === 'NEMSMS';
      },
    },
  ],
);
