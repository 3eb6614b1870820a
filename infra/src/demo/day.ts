import type { DocumentAnswer } from '@indbakke/shared/api';
import { InboxClient, type Query } from '../testkit/inbox-client.js';
import { DigitalPost } from './digital-post.js';
import type { DayMemo } from './memos.js';
import type { OwnStack } from './own-stack.js';
import { CASEWORKER, COLLEAGUE, MUNICIPALITY, NEIGHBOUR, SETUP } from './people.js';
import type { Story } from './story.js';

/** Shared by the acts of the day: the story and the callers, each with their own token. */
export interface Day {
  readonly story: Story;
  readonly stack: OwnStack;
  readonly post: DigitalPost;
  /** The DUBU core, which registers and never reads. */
  readonly core: InboxClient;
  readonly caseworker: InboxClient;
  readonly colleague: InboxClient;
  readonly setup: InboxClient;
  /** A caseworker with the same roles in another municipality. */
  readonly neighbour: InboxClient;
}

export async function openDay(story: Story, stack: OwnStack): Promise<Day> {
  const { url, signal, issueToken } = stack;
  const municipality = MUNICIPALITY.cvr;
  const signIn = async (request: Parameters<typeof issueToken>[0]) =>
    new InboxClient(url, await issueToken(request), signal);
  return {
    story,
    stack,
    post: new DigitalPost(url, signal),
    core: await signIn({ municipality, user: 'dubu-core', roles: ['Indbakke.System'], system: true }),
    caseworker: await signIn({ municipality, ...CASEWORKER }),
    colleague: await signIn({ municipality, ...COLLEAGUE }),
    setup: await signIn({ municipality, ...SETUP }),
    neighbour: await signIn({ municipality: NEIGHBOUR.cvr, ...CASEWORKER }),
  };
}

/** The stored message, found by its subject, which is unique in this day. */
export async function findMessage(
  inbox: InboxClient,
  { subject }: Pick<DayMemo, 'subject'>,
  status: Query['status'] = 'pending',
): Promise<DocumentAnswer> {
  for await (const item of inbox.listAll({ status })) {
    if (item.subject === subject) return inbox.read(item.id);
  }
  throw new Error(`No ${status} message has the subject "${subject}".`);
}
