/** What a message says of one earlier message, or of itself (MeMo 1.2, ReplyData). */
export interface Entry {
  readonly messageID?: string;
  readonly messageUUID: string;
  readonly replyUUID?: string | undefined;
  readonly senderID?: string;
  readonly recipientID?: string;
  readonly caseID?: string;
  readonly generatingSystemID?: string;
}

export interface Memo {
  readonly uuid: string;
  readonly sender: { readonly id: string; readonly idType: 'CPR' | 'CVR'; readonly name: string };
  /** CVR number of the municipality. */
  readonly recipient: string;
  /** The name of who sent it first, of a forwarded message. */
  readonly forwardedFrom?: string | undefined;
  readonly entries: readonly Entry[];
}

// The order of the schema.
const FIELDS = [
  'messageID',
  'messageUUID',
  'replyUUID',
  'senderID',
  'recipientID',
  'caseID',
  'generatingSystemID',
] as const;

/** A MeMo 1.2 with a line of text. No value has a character that XML escapes. */
export function xmlOf({ uuid, sender, recipient, forwardedFrom, entries }: Memo): string {
  const forward =
    forwardedFrom === undefined
      ? ''
      : `<m:ForwardData><m:messageUUID>${uuid}</m:messageUUID><m:originalMessageDateTime>2026-10-30T10:00:00Z</m:originalMessageDateTime><m:originalSender>${forwardedFrom}</m:originalSender></m:ForwardData>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<m:Message xmlns:m="https://DigitalPost.dk/MeMo-1" memoVersion="1.2"><m:MessageHeader>
<m:messageType>DIGITALPOST</m:messageType><m:messageUUID>${uuid}</m:messageUUID><m:label>Om sagen</m:label>
<m:Sender><m:senderID>${sender.id}</m:senderID><m:idType>${sender.idType}</m:idType><m:label>${sender.name}</m:label></m:Sender>
<m:Recipient><m:recipientID>${recipient}</m:recipientID><m:idType>CVR</m:idType></m:Recipient>
${forward}${entries.map(replyData).join('')}
</m:MessageHeader><m:MessageBody><m:createdDateTime>2026-11-02T08:12:00Z</m:createdDateTime><m:MainDocument><m:File>
<m:encodingFormat>text/plain</m:encodingFormat><m:filename>brev.txt</m:filename><m:language>da</m:language><m:content>SGVq</m:content>
</m:File></m:MainDocument></m:MessageBody></m:Message>`;
}

function replyData(entry: Entry): string {
  const fields = FIELDS.map((name) => (entry[name] === undefined ? '' : `<m:${name}>${entry[name]}</m:${name}>`));
  return `<m:ReplyData>${fields.join('')}</m:ReplyData>\n`;
}
