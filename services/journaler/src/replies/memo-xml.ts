import type { ReplyDataEntry, ReplySetUp } from '@indbakke/shared/api';
import { MEMO_NAMESPACE } from '@indbakke/shared/memo';
import { Builder } from 'xml2js';

const builder = new Builder({ headless: true, renderOpts: { pretty: false } });

/** The elements of a set-up, each to be put where MeMo has it (MeMo 1.2, MessageHeader). @throws for a text that XML cannot have */
export function xmlOf({ reply, replyByDateTime, contactPoint, replyData }: Omit<ReplySetUp, 'xml'>): ReplySetUp['xml'] {
  return {
    reply: element('reply', String(reply)),
    replyByDateTime: replyByDateTime && element('replyByDateTime', replyByDateTime),
    contactPoint: contactPoint && element('ContactPoint', childrenOf(contactPoint)),
    replyData: replyData.map((entry) => element('ReplyData', childrenOfEntry(entry))).join(''),
  };
}

type Children = Readonly<Record<string, unknown>>;

function childrenOfEntry({ additionalReplyData, ...texts }: ReplyDataEntry): Children {
  return { ...childrenOf(texts), 'memo:AdditionalReplyData': additionalReplyData.map(childrenOf) };
}

/** In the order of the fields; what is null has no element. */
function childrenOf(texts: Readonly<Record<string, string | null>>): Children {
  const given = Object.entries(texts).filter(([, text]) => text !== null);
  return Object.fromEntries(given.map(([name, text]) => [`memo:${name}`, text]));
}

function element(name: string, content: string | Children): string {
  const children = typeof content === 'string' ? { _: content } : content;
  return builder.buildObject({ [`memo:${name}`]: { $: { 'xmlns:memo': MEMO_NAMESPACE }, ...children } });
}
