import { Random } from '../../random.js';
import { type Entry, type Memo, xmlOf } from './memo.js';
import {
  CASEWORKERS,
  type Case,
  entryOf,
  LEADER,
  type Letter,
  MUNICIPALITIES,
  OUR_SYSTEM,
  type Person,
  type Registration,
  registrationOf,
  SEES_ALL,
  sentFrom,
  World,
} from './world.js';

/** What the inbox must show of a message’s case. */
export interface Right {
  readonly caseId: string;
  readonly basis: 'message-uuid' | 'message-id' | 'case-id';
  readonly sender: 'recipient-of-the-letter' | 'party-to-the-case' | 'other';
  readonly party: string | null;
  readonly warning: 'not-the-recipient' | null;
  readonly caseStatus: string | null;
  readonly movedTo: string | null;
  readonly movedFrom: string | null;
  readonly caseworker: string | null;
}

export interface Message {
  readonly kind: string;
  readonly municipality: string;
  readonly uuid: string;
  readonly xml: string;
  /** null: nothing may be suggested. */
  readonly right: Right | null;
  /** The users who must see it; nobody else may. */
  readonly seenBy: ReadonlySet<string>;
  /** What the core tells once the message has been received. */
  readonly after: readonly Registration[];
}

/** Of a message, who wrote it and what, and the case it belongs to. */
interface Story {
  readonly author: Person;
  readonly uuid: string;
  readonly entries: readonly Entry[];
  readonly forwardedFrom?: string;
  readonly after?: readonly Registration[];
  readonly right: Answer | null;
}

interface Answer {
  readonly of: Case;
  readonly basis: Right['basis'];
  /** Recipients of the letter that shows the case; undefined where no letter does, or the core does not tell to whom it was. */
  readonly recipients?: readonly Person[] | undefined;
}

/** Tells a story between two municipalities; the message is to the first. */
type Teller = (world: World, here: string, there: string) => Story;

/** The case of this letter, which its UUID shows. */
const by = (letter: Letter, basis: Right['basis'] = 'message-uuid'): Answer => ({
  of: letter.of,
  basis,
  recipients: letter.recipientIsTold ? [letter.to] : undefined,
});

/** What an answer says of itself. */
const answering = (uuid: string, author: Person, to: string, replyUUID: string): Entry => ({
  messageUUID: uuid,
  replyUUID,
  senderID: author.id,
  recipientID: to,
});

/** The recipient of a letter answers it; what the answer says of both. */
function answerTo(world: World, letter: Letter, author = letter.to) {
  const uuid = world.random.uuid();
  const [ofLetter, own] = [entryOf(letter), answering(uuid, author, letter.of.municipality, letter.uuid)];
  return { author, uuid, ofLetter, own, entries: world.random.chance(0.5) ? [ofLetter, own] : [own, ofLetter] };
}

/** Letters, oldest first, that one person has answered each; the last answer is the message. Entries are oldest first. */
function correspondence(world: World, letters: readonly Letter[], author: Person) {
  const entries: Entry[] = [];
  let replyUUID: string | undefined;
  for (const letter of letters) {
    entries.push({ ...entryOf(letter), replyUUID });
    replyUUID = world.random.uuid();
    entries.push(answering(replyUUID, author, letter.of.municipality, letter.uuid));
  }
  return { author, uuid: replyUUID as string, entries, newest: letters.at(-1) as Letter };
}

/** Letters from one case to one party. */
function lettersOf(world: World, of: Case, to: Person, count: number): Letter[] {
  return Array.from({ length: count }, () => world.letter(of, { to }));
}

const someParty = (world: World, { parties }: Case) => world.random.pick(parties).person;

/** What is left of a letter’s entry without what names the letter; a link that somebody made up leads nowhere. */
const withoutUuid = (world: World, letter: Letter): Entry => ({ ...entryOf(letter), messageUUID: world.random.uuid() });

/** Of an answer whose client lost the UUID of the letter. */
function lostUuid(world: World, letter: Letter, change: Partial<Entry>, author = letter.to) {
  const ofLetter = { ...withoutUuid(world, letter), ...change };
  const uuid = world.random.uuid();
  const own = answering(uuid, author, letter.of.municipality, ofLetter.messageUUID);
  return { author, uuid, entries: world.shuffled([ofLetter, own]) };
}

function without(entry: Entry, ...fields: (keyof Entry)[]): Entry {
  return Object.fromEntries(
    Object.entries(entry).filter(([name]) => !fields.includes(name as keyof Entry)),
  ) as Entry & {
    messageUUID: string;
  };
}

const WRITTEN: readonly ((uuid: string) => string)[] = [
  (uuid) => uuid.toUpperCase(),
  (uuid) => `{${uuid}}`,
  (uuid) => `urn:uuid:${uuid}`,
  (uuid) => uuid.replaceAll('-', ''),
];

/** Every kind of message. A right answer is that of the letter which the author had before them, or of its case. */
export const KINDS: Readonly<Record<string, Teller>> = {
  reply: (world, here) => {
    const letter = world.letter(world.someCase(here));
    return { ...answerTo(world, letter), right: by(letter) };
  },

  'reply, with the entry of the letter only': (world, here) => {
    const letter = world.letter(world.someCase(here));
    const { ofLetter, ...answer } = answerTo(world, letter);
    return { ...answer, entries: [ofLetter], right: by(letter) };
  },

  'reply, with an entry of its own only': (world, here) => {
    const letter = world.letter(world.someCase(here));
    const { own, ...answer } = answerTo(world, letter);
    return { ...answer, entries: [own], right: by(letter) };
  },

  'reply, UUIDs and numbers written in other ways': (world, here) => {
    const letter = world.letter(world.someCase(here));
    const { uuid, author } = answerTo(world, letter);
    const written = world.random.pick(WRITTEN);
    const entries: Entry[] = [
      { messageUUID: written(letter.uuid), senderID: `DK-${here}` },
      { messageUUID: uuid.toUpperCase(), replyUUID: world.random.pick(WRITTEN)(letter.uuid) },
    ];
    const id = author.idType === 'CPR' ? author.id.replace(/(....)$/, '-$1') : `DK ${author.id}`;
    return { author: { ...author, id }, uuid, entries, right: { ...by(letter), recipients: [author] } };
  },

  'reply, recipient of the letter not told': (world, here) => {
    const letter = world.letter(world.someCase(here), { recipientIsTold: false });
    return { ...answerTo(world, letter), right: by(letter) };
  },

  'reply, case known by its letter only': (world, here) => {
    const letter = world.letter(world.untoldCase(here));
    return { ...answerTo(world, letter), right: by(letter) };
  },

  'reply, letter told of afterwards': (world, here) => {
    const letter = world.untoldLetter(world.someCase(here));
    const answer = answerTo(world, letter);
    const entries = [answer.own]; // nothing but the letter tells the case
    return { ...answer, entries, after: [sentFrom(letter)], right: by(letter) };
  },

  'reply, letter moved to another case afterwards': (world, here) => {
    const letter = world.letter(world.someCase(here));
    const moved = { ...letter, of: world.someCase(here, letter.of) };
    return { ...answerTo(world, letter), after: [sentFrom(moved)], right: by(moved) };
  },

  chain: (world, here) => {
    const of = world.someCase(here);
    const author = someParty(world, of);
    const { newest, ...told } = correspondence(world, lettersOf(world, of, author, world.random.between(2, 6)), author);
    return { ...told, right: by(newest) };
  },

  'chain in any order, through two cases': (world, here) => {
    const before = world.someCase(here);
    const author = someParty(world, before);
    const now = world.newCase(here, { parties: before.parties });
    const letters = [before, now].flatMap((of) => lettersOf(world, of, author, world.random.between(1, 3)));
    const { newest, entries, ...told } = correspondence(world, letters, author);
    return { ...told, entries: world.shuffled(entries), right: by(newest) };
  },

  'chain in any order, without an entry of its own': (world, here) => {
    const [before, now] = [world.someCase(here), world.newCase(here)];
    const author = someParty(world, now);
    const letters = [before, now].flatMap((of) => lettersOf(world, of, author, world.random.between(1, 2)));
    const { newest, entries, ...told } = correspondence(world, letters, author);
    return { ...told, entries: world.shuffled(entries.slice(0, -1)), right: by(newest) };
  },

  'chain in any order, newest letter not told of': (world, here) => {
    const of = world.someCase(here);
    const author = someParty(world, of);
    const letters = lettersOf(world, of, author, world.random.between(1, 3));
    const { entries, ...told } = correspondence(world, [...letters, world.untoldLetter(of, { to: author })], author);
    return { author, uuid: told.uuid, entries: world.shuffled(entries), right: by(letters.at(-1) as Letter) };
  },

  'chain of more than 100 links, newest first': (world, here) => {
    const before = world.someCase(here);
    const now = world.someCase(here, before);
    const author = someParty(world, now);
    const between = Array.from({ length: world.random.between(50, 60) }, () => world.untoldLetter(now, { to: author }));
    const letters = [world.letter(before, { to: author }), ...between, world.letter(now, { to: author })];
    const { newest, entries, ...told } = correspondence(world, letters, author);
    return { ...told, entries: entries.reverse(), right: by(newest) };
  },

  'answer to the older of two letters': (world, here) => {
    const of = world.someCase(here);
    const author = someParty(world, of);
    const older = world.letter(of, { to: author });
    const newer = world.letter(world.someCase(here, of), { to: author });
    const first = world.random.uuid();
    const { uuid, ofLetter, own } = answerTo(world, older);
    const entries = [
      ofLetter,
      answering(first, author, here, older.uuid),
      { ...entryOf(newer), replyUUID: first },
      own, // answers the older letter anew
    ];
    return { author, uuid, entries: world.shuffled(entries), right: by(older) };
  },

  'second message to one letter': (world, here) => {
    const letter = world.letter(world.someCase(here));
    const first = answerTo(world, letter);
    const uuid = world.random.uuid();
    const own = answering(uuid, letter.to, here, first.uuid);
    return { author: letter.to, uuid, entries: world.shuffled([...first.entries, own]), right: by(letter) };
  },

  'message id only': (world, here) => {
    const letter = world.letter(world.someCase(here));
    const answer = lostUuid(world, letter, {});
    const entries = answer.entries.map((entry) => without(entry, 'caseID'));
    return { ...answer, entries, right: by(letter, 'message-id') };
  },

  'message id only, system not named': (world, here) => {
    const letter = world.letter(world.someCase(here));
    const answer = lostUuid(world, letter, {});
    const entries = answer.entries.map((entry) => without(entry, 'caseID', 'generatingSystemID'));
    return { ...answer, entries, right: by(letter, 'message-id') };
  },

  'message id only, letter to several': (world, here) => {
    const of = world.someCase(here);
    const messageId = world.sharedMessageId();
    const letters = of.parties.map(({ person }) => world.letter(of, { messageId, to: person }));
    const letter = world.random.pick(letters);
    const right = { of, basis: 'message-id', recipients: letters.map(({ to }) => to) } as const;
    return { ...lostUuid(world, letter, {}), right };
  },

  'case number only': (world, here) => {
    const letter = world.untoldLetter(world.someCase(here));
    const answer = lostUuid(world, letter, {});
    const entries = answer.entries.map((entry) => without(entry, 'messageID'));
    return { ...answer, entries, right: { of: letter.of, basis: 'case-id' } };
  },

  'case number only, in use in another municipality': (world, here, there) => {
    const { here: of } = world.sameNumber(here, there);
    const letter = world.untoldLetter(of);
    return { ...lostUuid(world, letter, {}), right: { of, basis: 'case-id' } };
  },

  'case number in use in another municipality, UUID of ours': (world, here, there) => {
    const { here: of } = world.sameNumber(here, there);
    const letter = world.letter(of);
    return { ...answerTo(world, letter), right: by(letter) };
  },

  'wrong UUID, right message id': (world, here) => {
    const letter = world.letter(world.someCase(here));
    return { ...lostUuid(world, letter, { caseID: 'findes-ikke' }), right: by(letter, 'message-id') };
  },

  'wrong UUID and message id, right case number': (world, here) => {
    const of = world.someCase(here);
    const letter = world.untoldLetter(of);
    const messageUUID = world.random.pick([world.random.uuid(), 'ikke-en-uuid']);
    const answer = lostUuid(world, letter, { messageUUID, messageID: 'findes-ikke' });
    return { ...answer, right: { of, basis: 'case-id' } };
  },

  'right UUID, other ids of another case': (world, here) => {
    const letter = world.letter(world.someCase(here));
    const other = world.letter(world.someCase(here, letter.of));
    const { ofLetter, own, ...answer } = answerTo(world, letter);
    const mixed = { ...ofLetter, messageID: other.messageId, caseID: other.of.id };
    return { ...answer, entries: world.shuffled([mixed, own]), right: by(letter) };
  },

  'right message id, case number of another case': (world, here) => {
    const letter = world.letter(world.someCase(here));
    const { id: caseID } = world.someCase(here, letter.of);
    return { ...lostUuid(world, letter, { caseID }), right: by(letter, 'message-id') };
  },

  'wrong ids only': (world, here) => {
    const letter = world.untoldLetter(world.someCase(here));
    return { ...lostUuid(world, letter, { messageID: 'findes-ikke', caseID: 'findes-ikke' }), right: null };
  },

  'message id of letters from two cases': (world, here) => {
    const messageId = world.sharedMessageId();
    const letter = world.letter(world.someCase(here), { messageId });
    world.letter(world.someCase(here, letter.of), { messageId });
    const answer = lostUuid(world, letter, {});
    return { ...answer, entries: answer.entries.map((entry) => without(entry, 'caseID')), right: null };
  },

  'message id of letters from two cases, right case number': (world, here) => {
    const messageId = world.sharedMessageId();
    const letter = world.letter(world.someCase(here), { messageId });
    world.letter(world.someCase(here, letter.of), { messageId });
    return { ...lostUuid(world, letter, {}), right: { of: letter.of, basis: 'case-id' } };
  },

  'answer to a letter of another municipality': (world, _, there) => {
    const letter = world.letter(world.someCase(there));
    return { ...answerTo(world, letter), right: null };
  },

  'answer to a letter of another municipality, same ids here': (world, here, there) => {
    const same = world.sameNumber(here, there);
    const messageId = world.sharedMessageId();
    world.letter(same.here, { messageId });
    const letter = world.letter(same.there, { messageId });
    return { ...answerTo(world, letter), right: null };
  },

  'the same, its ids repeated by the citizen’s client': (world, here, there) => {
    const same = world.sameNumber(here, there);
    const messageId = world.sharedMessageId();
    world.letter(same.here, { messageId });
    const letter = world.letter(same.there, { messageId });
    const { ofLetter, own, ...answer } = answerTo(world, letter);
    const repeated = { ...own, recipientID: here, caseID: letter.of.id, messageID: messageId };
    const entries = [ofLetter, { ...repeated, generatingSystemID: OUR_SYSTEM }];
    return { ...answer, entries: world.shuffled(entries), right: null };
  },

  'letter from another municipality, same ids here': (world, here, there) => {
    const same = world.sameNumber(here, there);
    const messageId = world.sharedMessageId();
    world.letter(same.here, { messageId });
    const author = municipalityAs(there);
    const letter = world.letter(same.there, { messageId, to: municipalityAs(here) });
    return { author, uuid: letter.uuid, entries: [entryOf(letter)], right: null };
  },

  'another municipality answers us, with its own ids': (world, here, there) => {
    const asked = world.letter(world.someCase(here), { to: municipalityAs(there) });
    const { ofLetter, own, ...answer } = answerTo(world, asked);
    const theirs = { ...own, ...idsOf(world.letter(world.someCase(there))) };
    return { ...answer, entries: world.shuffled([ofLetter, theirs]), right: by(asked) };
  },

  'the same, our letter not told of': (world, here, there) => {
    const same = world.sameNumber(here, there);
    const messageId = world.sharedMessageId();
    world.letter(same.here, { messageId });
    const asked = world.untoldLetter(world.someCase(here, same.here), { to: municipalityAs(there) });
    const { own, ...answer } = answerTo(world, asked);
    const theirs = { ...own, ...idsOf(world.letter(same.there, { messageId })) };
    // Its client names the sender of an entry or not; that of the message is named.
    return { ...answer, entries: [world.random.chance(0.5) ? theirs : without(theirs, 'senderID')], right: null };
  },

  'ReplyData of an organisation, ids as ours': (world, here) => {
    const author = world.organisation();
    const like = world.letter(world.someCase(here));
    const earlier = world.random.uuid();
    const uuid = world.random.uuid();
    const ids = { messageID: like.messageId, caseID: like.of.id, senderID: author.id };
    const entries: Entry[] = [
      { ...ids, messageUUID: earlier },
      { ...ids, messageUUID: uuid, replyUUID: earlier },
    ];
    return { author, uuid, entries: world.random.chance(0.5) ? entries : entries.slice(0, 1), right: null };
  },

  'letter of another system of ours, ids as ours': (world, here) => {
    const like = world.letter(world.someCase(here));
    const letter = world.untoldLetter(like.of, { messageId: like.messageId });
    return { ...lostUuid(world, letter, { generatingSystemID: 'ESDH' }), right: null };
  },

  'ReplyData of an organisation before ours': (world, here) => {
    const letter = world.untoldLetter(world.someCase(here));
    const author = world.organisation();
    const answer = lostUuid(world, letter, {}, author);
    const theirs: Entry = {
      messageUUID: world.random.uuid(),
      senderID: author.id,
      caseID: world.someCase(here, letter.of).id,
      generatingSystemID: 'EPJ',
    };
    const entries = world.shuffled([...answer.entries, theirs]);
    return { ...answer, entries, right: { of: letter.of, basis: 'case-id' } };
  },

  'another party answers': (world, here) => {
    const letter = world.letter(world.someCase(here));
    const author = world.otherParty(letter.of, letter.to);
    return { ...answerTo(world, letter, author), right: by(letter) };
  },

  'who is no party answers': (world, here) => {
    const letter = world.letter(world.someCase(here));
    const ofAnother = () => someParty(world, world.newCase(here));
    const author = world.random.chance(0.5) ? world.person() : ofAnother();
    return { ...answerTo(world, letter, author), right: by(letter) };
  },

  'who is no party answers, case number only': (world, here) => {
    const letter = world.untoldLetter(world.someCase(here));
    return { ...lostUuid(world, letter, {}, world.person()), right: { of: letter.of, basis: 'case-id' } };
  },

  'a recipient who is no party answers': (world, here) => {
    const letter = world.letter(world.someCase(here), { to: world.organisation() });
    return { ...answerTo(world, letter), right: by(letter) };
  },

  'forwarded to us by its recipient: our own letter': (world, here) => {
    const letter = world.letter(world.someCase(here));
    return { ...answerTo(world, letter), forwardedFrom: 'Kommunen', right: null };
  },

  'forwarded to us by an organisation': (world, here) => {
    const author = world.organisation();
    const like = world.letter(world.someCase(here));
    const uuid = world.random.uuid();
    return { author, uuid, entries: [entryOf(like)], forwardedFrom: 'Et sygehus', right: null };
  },

  'new letter from a party': (world, here) => {
    const author = someParty(world, world.someCase(here));
    return { author, uuid: world.random.uuid(), entries: [], right: null };
  },

  'second message to one’s own new letter': (world, here) => {
    const author = someParty(world, world.someCase(here));
    const [first, uuid] = [world.random.uuid(), world.random.uuid()];
    const entries = [{ messageUUID: first, senderID: author.id }, answering(uuid, author, here, first)];
    return { author, uuid, entries, right: null };
  },

  'restricted case': (world, here) => {
    const letter = world.letter(world.newCase(here, restricted(world)));
    return { ...answerTo(world, letter), right: by(letter) };
  },

  'restricted case, case number only': (world, here) => {
    const letter = world.untoldLetter(world.newCase(here, restricted(world)));
    return { ...lostUuid(world, letter, {}), right: { of: letter.of, basis: 'case-id' } };
  },

  'case restricted afterwards': (world, here) => changedAfterwards(world, here, restricted(world)),

  'closed case': (world, here) => {
    const letter = world.letter(world.newCase(here, { status: 'closed' }));
    return { ...answerTo(world, letter), right: by(letter) };
  },

  'case closed afterwards': (world, here) => changedAfterwards(world, here, { status: 'closed' }),

  'moved case': (world, here, there) => {
    const letter = world.letter(world.newCase(here, { status: 'moved', movedTo: there }));
    return { ...answerTo(world, letter), right: by(letter) };
  },

  'case moved afterwards': (world, here, there) => changedAfterwards(world, here, { status: 'moved', movedTo: there }),

  'case that came from another municipality': (world, here, there) => {
    const before = world.newCase(there, { status: 'moved', movedTo: here });
    const letter = world.letter(world.newCase(here, { parties: before.parties, movedFrom: there }));
    return { ...answerTo(world, letter), right: by(letter) };
  },

  'moved here, letter of the former municipality': (world, here, there) => {
    const before = world.newCase(there, { status: 'moved', movedTo: here });
    world.newCase(here, { parties: before.parties, movedFrom: there });
    return { ...answerTo(world, world.letter(before)), right: null };
  },
};

const municipalityAs = (cvr: string): Person => ({ id: cvr, idType: 'CVR', name: `Kommune ${cvr}` });

/** What another municipality’s core writes of its own message, by the same system as ours. */
const idsOf = ({ messageId, of }: Letter) => ({ messageID: messageId, caseID: of.id, generatingSystemID: OUR_SYSTEM });

/** To its caseworker, to a leader, or to both. */
function restricted({ random }: World) {
  const caseworker = random.pick(CASEWORKERS);
  return { caseworker, restrictedTo: random.pick([[caseworker], [LEADER], [LEADER, caseworker]]) };
}

function changedAfterwards(world: World, here: string, change: Partial<NonNullable<Case['told']>>): Story {
  const of = world.newCase(here);
  const letter = world.letter(of);
  const changed = { ...of, told: { ...of.told, ...change } } as Case;
  return { ...answerTo(world, letter), after: [registrationOf(changed)], right: by({ ...letter, of: changed }) };
}

/** What the cores tell, and messages to the municipalities, each with its right answer. */
export interface Scenario {
  /** Cases and then letters, before any message. */
  readonly registrations: readonly (readonly Registration[])[];
  readonly messages: readonly Message[];
}

/** Tells as many stories, the kinds in turn; the same for the same seed. */
export function tellStories(seed: number, count: number): Scenario {
  const world = new World(new Random(seed), Math.max(20, Math.ceil(count / 50)));
  const tellers = Object.entries(KINDS);
  const messages = Array.from({ length: count }, (_, at) => {
    const [kind, tell] = tellers[at % tellers.length] as [string, Teller];
    const [here, there] = world.shuffled(MUNICIPALITIES) as [string, string];
    return messageOf(kind, here, tell(world, here, there));
  });
  return { registrations: [world.cases, world.letters], messages: world.shuffled(messages) };
}

function messageOf(
  kind: string,
  municipality: string,
  { author, uuid, entries, forwardedFrom, after = [], right }: Story,
): Message {
  const memo: Memo = { uuid, sender: author, recipient: municipality, forwardedFrom, entries };
  return {
    kind,
    municipality,
    uuid,
    xml: xmlOf(memo),
    right: right && shownOf(right, author),
    seenBy: new Set(right ? readersOf(right.of) : [LEADER, SEES_ALL]),
    after,
  };
}

function shownOf({ of, basis, recipients }: Answer, { id }: Person): Right {
  const digits = id.replaceAll(/\D/g, '');
  const party = of.parties.find(({ person }) => person.id === digits);
  const isRecipient = recipients?.some((person) => person.id === digits);
  const fits = party ? 'party-to-the-case' : 'other';
  return {
    caseId: of.id,
    basis,
    sender: isRecipient ? 'recipient-of-the-letter' : fits,
    party: party?.relation ?? null,
    warning: isRecipient === false ? 'not-the-recipient' : null,
    caseStatus: of.told?.status ?? null,
    movedTo: of.told?.movedTo ?? null,
    movedFrom: of.told?.movedFrom ?? null,
    caseworker: of.told?.caseworker ?? null,
  };
}

function readersOf({ told }: Case): string[] {
  const readers = [LEADER, SEES_ALL, ...(told ? [told.caseworker] : [])];
  return told?.restrictedTo ? readers.filter((reader) => told.restrictedTo?.includes(reader)) : readers;
}
