import { DAY, HOUR } from '@indbakke/shared/config';
import { type MemoSpec, type MemoSpecDocument, type ReplyEntry, textDocument } from '../testkit/write-memo.js';
import { CASES, type SentLetter, sentLetters } from './cases.js';
import { attached, html, pdf, picture, sound } from './files.js';
import { uuidFrom } from './ids.js';
import {
  CHILD,
  FATHER,
  GUARDIAN,
  HOSPITAL,
  LAWYER,
  MOTHER,
  NURSERY,
  OTHER_CHILD,
  OTHER_MOTHER,
  OTHER_MUNICIPALITY,
  SCHOOL,
  SHOP,
} from './people.js';

/** Where the letters go, and from when they are. */
export interface Addressee {
  readonly cvr: string;
  /** With another time, they are other letters. */
  readonly since: Date;
  /** For enquiries. */
  readonly contactPoints: readonly { readonly id: string; readonly isConcern: boolean }[];
}

export type Letter = MemoSpec & { readonly messageUUID: string; readonly subject: string };

type Draft = Omit<MemoSpec, 'messageUUID' | 'recipient' | 'createdDateTime' | 'documents'> & {
  readonly subject: string;
  readonly documents: readonly MemoSpecDocument[];
  /** How long before `since` it was written. */
  readonly age?: number;
};

/**
 * One letter of everything that a caseworker meets. Of the same municipality and time they are the same, byte for byte: who sends
 * them again gets the first receipts.
 */
export async function lettersFor({ cvr, since, contactPoints }: Addressee): Promise<Letter[]> {
  const sent = sentLetters(cvr);
  const round = since.toISOString();
  const timeAt = (age: number) => new Date(since.getTime() - age).toISOString().replace(/\.\d+/, '');
  const idOf = (name: string) => uuidFrom(cvr, round, name);
  const answer = (to: Partial<SentLetter>): Pick<MemoSpec, 'replyData'> => ({ replyData: answerTo(cvr, to, idOf) });
  const usual = contactPoints.find(({ isConcern }) => !isConcern)?.id;
  const concerns = contactPoints.find(({ isConcern }) => isConcern)?.id ?? usual;
  const at = (contactPointId: string | undefined) => (contactPointId === undefined ? {} : { contactPointId });
  const about = ({ cpr, name }: typeof CHILD) => ({
    contactInfo: [
      { label: 'Barnets CPR-nummer', value: cpr },
      { label: 'Barnets navn', value: name },
    ],
  });

  const drafts: Draft[] = [
    // Replies, each with another fit to a case
    {
      subject: 'Svar: Indkaldelse til møde',
      sender: MOTHER,
      ...answer(sent.meeting),
      documents: [textDocument('Kære kommune\n\nJeg kommer til mødet på torsdag.\n\nVenlig hilsen\nTest Testesen')],
    },
    {
      subject: 'Svar: Partshøring om støtte i hjemmet',
      sender: FATHER,
      ...answer(sent.hearing),
      documents: [
        textDocument('Jeg er enig i forslaget på nær punkt 3. Se bilagene.\n\nVenlig hilsen\nPrøve Prøvesen'),
        attached(await pdf('Udtalelse fra børnehaven.pdf', 'Udtalelse', 'Barnet trives, når dagen er forudsigelig.')),
        attached(await pdf('Årsopgørelse.pdf', 'Årsopgørelse', 'Side 1: indkomst.', 'Side 2: fradrag.')),
        attached(picture('Værelset på første sal.png')),
      ],
    },
    {
      subject: 'Svar: Plan for skolestart',
      sender: SCHOOL, // who is not the recipient of the letter
      ...answer(sent.schoolPlan),
      documents: [textDocument('Skolen svarer på morens vegne: Planen kan følges fra på mandag.')],
    },
    {
      subject: 'Svar: Orientering fra sidste år',
      sender: FATHER,
      ...answer({ messageId: 'ÆLDRE-BREV-7', caseId: CASES.child.caseId }), // found by the number of the case
      documents: [textDocument('Jeg har flyttet adresse, så skriv venligst til mig på den nye.')],
    },
    {
      subject: 'Svar: Bevilling af støtte',
      sender: OTHER_MOTHER,
      representative: { ...LAWYER },
      ...answer(sent.support),
      replyBy: timeAt(-10 * DAY),
      documents: [
        textDocument('På vegne af min klient beder jeg om aktindsigt og om svar senest om ti dage.'),
        attached(await pdf('Fuldmagt.pdf', 'Fuldmagt', 'Advokatkontoret Eksempel må svare for mig.')),
      ],
    },
    {
      subject: 'Svar: Tilsynsbesøg hos plejefamilien',
      sender: GUARDIAN,
      ...answer({ ...sent.visit, messageUUID: idOf('lost') }), // found by our own id of the letter
      age: 2 * HOUR,
      documents: [textDocument('Besøget på onsdag klokken 10 passer os godt.')],
    },
    {
      subject: 'Svar: Afgørelse om hjælpemiddel',
      sender: MOTHER,
      ...answer(sent.oldDecision), // of a closed case
      documents: [textDocument('Hjælpemidlet er gået i stykker. Kan sagen genåbnes?')],
    },
    {
      subject: 'Svar: Vi har sendt jeres sag videre',
      sender: OTHER_MOTHER,
      ...answer(sent.goodbye), // of a case that has moved
      documents: [textDocument('Jeg kan ikke få fat i den nye kommune. Hvem skal jeg ringe til?')],
    },
    {
      subject: 'Svar: Et brev fra jer',
      sender: MOTHER,
      ...answer({ messageId: 'ANDET-1' }), // to what nobody has registered
      documents: [textDocument('Jeg kan ikke finde jeres brev igen. Kan I sende det en gang til?')],
    },
    {
      subject: 'Svar: Spørgeskema om trivsel',
      sender: FATHER,
      ...answer(sent.hearing),
      age: 40 * DAY, // late
      documents: [textDocument('Jeg svarede for længe siden, men brevet kom vist et forkert sted hen.')],
    },

    // Enquiries
    {
      subject: 'Spørgsmål om aflastning',
      sender: MOTHER,
      ...at(usual),
      documents: [textDocument('Hvordan søger jeg om aflastning i weekenden?')],
    },
    {
      subject: 'Ansøgning om tabt arbejdsfortjeneste',
      sender: OTHER_MOTHER,
      ...at(usual),
      ...about(OTHER_CHILD),
      replyBy: timeAt(-21 * DAY),
      documents: [
        textDocument('Hermed min ansøgning med bilag.\n\nVenlig hilsen\nØvelse Øvelsesen'),
        attached(await pdf('Ansøgningsskema.pdf', 'Ansøgning om tabt arbejdsfortjeneste', 'Timer om ugen: 10')),
        attached(await pdf('Lønseddel.pdf', 'Lønseddel', 'Løn for oktober')),
        attached(await pdf('Lønseddel.pdf', 'Lønseddel', 'Løn for september')), // the same name again
      ],
    },
    {
      subject: 'Klage over afgørelse',
      sender: FATHER,
      ...at(usual),
      replyBy: timeAt(-3 * DAY),
      documents: [
        html(
          '<h1>Klage</h1><p>Jeg klager over afgørelsen om <b>støttetimer</b>, fordi:</p><ul><li>Høringen var for kort.</li><li>Skolens udtalelse mangler.</li></ul>',
        ),
      ],
    },
    {
      subject: 'Lydbesked om i går',
      sender: MOTHER,
      ...at(usual),
      documents: [textDocument('Se – eller hør – den vedhæftede lydbesked.'), attached(sound('Besked.wav'))],
    },
    {
      subject: 'Referat af netværksmøde',
      sender: SCHOOL,
      ...at(usual),
      ...about(CHILD),
      documents: [
        textDocument('Vedhæftet er referatet af mødet.'),
        // Which is a picture, whatever its name says
        attached({ ...picture('Referat.pdf'), type: 'application/pdf' }),
      ],
    },
    {
      subject: 'Spørgsmål uden kontaktpunkt',
      sender: GUARDIAN,
      documents: [textDocument('Jeg kunne ikke se, hvor jeg skulle skrive hen. Kan I sende det til den rette?')],
    },
    {
      subject: 'Ændret telefonnummer',
      sender: OTHER_MOTHER,
      ...at(usual),
      age: 60 * DAY, // late
      documents: [textDocument('Mit telefonnummer er ændret. I finder det nye i min profil.')],
    },

    // Not for us
    {
      subject: 'Tilbud på kontorstole og hæve-sænkeborde',
      sender: SHOP,
      ...at(usual),
      documents: [attached(await pdf('Prisliste på møbler.pdf', 'Prisliste', 'Kontorstol, 1.200 kr.'))],
    },
    {
      subject: `Til ${OTHER_MUNICIPALITY.name}: Flytning`,
      sender: GUARDIAN,
      ...at(usual),
      documents: [textDocument('Vi flytter til jer den første. Hvad skal vi gøre?')],
    },
    {
      subject: 'Hvornår bliver vejen asfalteret?',
      sender: FATHER,
      ...at(usual),
      documents: [textDocument('Der er store huller i vejen uden for vores hus.')],
    },
    {
      subject: 'Spørgsmål om aflastning',
      sender: MOTHER,
      ...at(usual),
      age: HOUR,
      documents: [textDocument('Hvordan søger jeg om aflastning i weekenden?')], // sent once before
    },

    // Reports of concern, one to its contact point and one to another
    {
      subject: 'Underretning om et barn i børnehaven',
      sender: NURSERY,
      ...at(concerns),
      ...about(CHILD),
      documents: [
        textDocument(
          'Vi er blevet opmærksomme på, at barnet ofte bliver hentet for sent og er træt. Ring gerne til os.',
        ),
        attached(await pdf('Underretning.pdf', 'Underretning', 'Observationer fra de sidste tre uger.')),
      ],
    },
    {
      subject: 'Bekymring for en elev',
      sender: SCHOOL,
      ...at(usual),
      concerning: OTHER_CHILD,
      documents: [textDocument('Eleven har ikke været i skole i to uger, og vi kan ikke få fat i hjemmet.')],
    },

    // Forwarded
    {
      subject: 'Videresendt: Brev fra sygehuset',
      sender: FATHER,
      ...at(usual),
      forwardedFrom: HOSPITAL,
      forwardedUUID: idOf('from the hospital'),
      documents: [attached(await pdf('Epikrise.pdf', 'Epikrise', 'Udskrevet efter observation.'))],
    },
    {
      subject: 'Videresendt: Spørgsmål om specialskole',
      sender: { id: OTHER_MUNICIPALITY.cvr, idType: 'CVR', name: OTHER_MUNICIPALITY.name },
      ...at(usual),
      forwardedFrom: OTHER_MOTHER.name,
      forwardedUUID: idOf('from the other municipality'),
      concerning: OTHER_CHILD,
      documents: [textDocument('Borgeren bor hos jer, så vi sender brevet videre.')],
    },

    // Held
    {
      subject: 'Til et kontaktpunkt, der ikke er sat op',
      sender: MOTHER,
      contactPointId: uuidFrom(cvr, 'not set up'),
      documents: [textDocument('Kontaktpunktet findes i Digital Post, men ikke her. Hvem retter opsætningen?')],
    },
  ];

  const letters = drafts.map(
    ({ age = 20 * 60_000, ...draft }, number): Letter => ({
      ...draft,
      messageUUID: idOf(String(number)),
      recipient: { id: cvr },
      createdDateTime: timeAt(age),
    }),
  );
  const [first] = letters as [Letter, ...Letter[]];
  const conflicting: Letter = {
    ...first, // with its id: held until somebody has compared the two
    subject: 'Svar: Indkaldelse til møde (ændret)',
    documents: [textDocument('Kære kommune\n\nJeg kommer alligevel ikke til mødet.\n\nVenlig hilsen\nTest Testesen')],
  };
  return [...letters, conflicting];
}

/** MeMo 1.2, ReplyData: the entry of the sent message as Digital Post returns it, and one of the reply. */
function answerTo(
  cvr: string,
  { messageUUID, messageId, caseId, recipientId }: Partial<SentLetter>,
  idOf: (name: string) => string,
): ReplyEntry[] {
  const sentUUID = messageUUID ?? idOf(`unknown ${messageId}`);
  return [
    {
      messageUUID: sentUUID,
      senderID: cvr,
      ...(messageId !== undefined && { messageID: messageId }),
      ...(caseId !== undefined && { caseID: caseId }),
      ...(recipientId !== undefined && { recipientID: recipientId }),
    },
    { messageUUID: idOf(`answer ${sentUUID}`), replyUUID: sentUUID, recipientID: cvr },
  ];
}
