import type { DocumentAnswer } from '@indbakke/shared/api';
import { inBoth } from '../language.js';

type Suggestion = NonNullable<DocumentAnswer['suggestion']>;
type Rejection = NonNullable<DocumentAnswer['rejection']>;
type Handover = NonNullable<DocumentAnswer['handover']>;

interface Words {
  readonly basis: Record<Suggestion['basis'], string>;
  readonly sender: Record<Suggestion['sender'], string>;
  readonly party: Record<NonNullable<Suggestion['party']>, string>;
  readonly warning: Record<NonNullable<Suggestion['warning']>, string>;
  readonly caseStatus: Record<NonNullable<Suggestion['caseStatus']>, string>;
  readonly heldCause: Record<NonNullable<DocumentAnswer['heldCause']>, string>;
  readonly rejection: Record<Rejection['reason'], string>;
  readonly handover: Record<Handover['status'], string>;
  readonly role: Record<DocumentAnswer['documents'][number]['role'], string>;
  /** By code, of shared/src/xml/remarks.ts. */
  readonly remark: Record<string, string>;
}

/** What the codes of one letter mean, in sentences. */
export const LETTER_WORDS = inBoth<Words>({
  da: {
    basis: {
      'message-uuid': 'Brevet svarer på en meddelelse, der er sendt fra sagen.',
      'message-id': 'Brevet bærer afsenderens eget id for en meddelelse, der er sendt fra sagen.',
      'case-id': 'Brevet bærer sagens nummer.',
      'sag-forslag': 'Afsenderens system foreslår sagen.',
    },
    sender: {
      'recipient-of-the-letter': 'Afsenderen er den, kommunen skrev til.',
      'party-to-the-case': 'Afsenderen er part i sagen.',
      other: 'Afsenderen er hverken part i sagen eller den, kommunen skrev til: se godt efter.',
    },
    party: {
      child: 'Barnet svarer.',
      mother: 'Moren svarer.',
      father: 'Faren svarer.',
      guardian: 'En anden forældremyndighedsindehaver eller en værge svarer.',
      professional: 'En fagperson svarer.',
      other: 'En anden part svarer.',
    },
    warning: { 'not-the-recipient': 'Kommunens brev var til en anden end den, der svarer.' },
    caseStatus: { open: 'Åben', closed: 'Lukket', moved: 'Flyttet' },
    heldCause: {
      conflict: 'Et andet brev med samme id, men andet indhold, kom først. Et menneske skal se på det.',
      'not-live': 'Kommunen er ikke gået i drift her.',
      'unknown-contact-point': 'Brevets kontaktpunkt er ikke sat op her.',
      'contact-point-off': 'Brevets kontaktpunkt er slået fra, eller det er ikke til den slags breve.',
      'replies-off': 'Kommunen tager ikke imod svar her.',
      'enquiries-off': 'Kommunen tager ikke imod henvendelser her.',
    },
    rejection: {
      'wrong-municipality': 'Brevet er til en anden kommune.',
      'wrong-department': 'Brevet er til en anden afdeling i kommunen.',
      'not-for-us': 'Brevet hører ikke til i fagsystemet.',
      unreadable: 'Brevet kan ikke læses.',
      duplicate: 'Brevet er modtaget før.',
      'handed-over': 'En anden kommune har overtaget brevet.',
      unwanted: 'Brevet er uønsket.',
      other: 'En anden årsag.',
    },
    handover: {
      open: 'venter på svar',
      taken: 'er overtaget',
      refused: 'er afslået',
      withdrawn: 'er trukket tilbage',
      expired: 'er udløbet',
      void: 'er bortfaldet',
    },
    role: { main: 'Hoveddokument', additional: 'Bilag', technical: 'Teknisk dokument' },
    remark: {
      'unknown-version': 'Brevet har en ukendt version af formatet MeMo; det er læst som version 1.2.',
      'missing-element': 'Noget, som formatet kræver, mangler.',
      'unknown-element': 'Noget, som formatet ikke kender her, står kun i originalen.',
      'repeated-element': 'Noget står der flere gange, end formatet tillader.',
      'wrong-order': 'Noget står i en anden rækkefølge, end formatet kræver.',
      'unexpected-text': 'Der er tekst, hvor formatet ikke har nogen; den står kun i originalen.',
      'misplaced-file': 'En fil lå et forkert sted; den er gemt som bilag.',
      'text-too-long': 'En tekst er længere, end formatet tillader; den er gemt i sin helhed.',
      'empty-element': 'Noget er tomt, som ikke må være det.',
      'nil-with-value': 'Noget er angivet som tomt, men har indhold; det er gemt.',
      'wrong-uuid': 'Et id har en forkert form.',
      'wrong-date': 'En dato har en forkert form.',
      'wrong-boolean': 'Et ja eller nej har en forkert form.',
      'wrong-language': 'En sprogkode har en forkert form.',
      'wrong-url': 'En webadresse har en forkert form.',
      'wrong-number': 'Et CPR- eller CVR-nummer har et forkert antal cifre.',
      'unknown-value': 'En værdi er ikke blandt dem, formatet tillader.',
      'type-differs': 'En fil er ikke af den type, den siges at være.',
      'bad-file-name': 'Et filnavn indeholder et tegn, som Digital Post ikke tillader.',
      'more-remarks': 'Der er flere fejl end dem, der er nævnt.',
    },
  },
  en: {
    basis: {
      'message-uuid': 'The letter answers a message that was sent from the case.',
      'message-id': 'The letter carries the sender’s own id of a message that was sent from the case.',
      'case-id': 'The letter carries the number of the case.',
      'sag-forslag': 'The sending system suggests the case.',
    },
    sender: {
      'recipient-of-the-letter': 'The sender is whom the municipality wrote to.',
      'party-to-the-case': 'The sender is a party to the case.',
      other: 'The sender is neither a party to the case nor whom the municipality wrote to: look carefully.',
    },
    party: {
      child: 'The child answers.',
      mother: 'The mother answers.',
      father: 'The father answers.',
      guardian: 'Another holder of custody, or a guardian, answers.',
      professional: 'A professional answers.',
      other: 'Another party answers.',
    },
    warning: { 'not-the-recipient': 'The municipality’s letter was to somebody else than who answers.' },
    caseStatus: { open: 'Open', closed: 'Closed', moved: 'Moved' },
    heldCause: {
      conflict: 'Another letter with the same id but other content came first. A person must look at it.',
      'not-live': 'The municipality has not gone live here.',
      'unknown-contact-point': 'The contact point of the letter is not set up here.',
      'contact-point-off': 'The contact point of the letter is off, or not for such letters.',
      'replies-off': 'The municipality takes no replies here.',
      'enquiries-off': 'The municipality takes no enquiries here.',
    },
    rejection: {
      'wrong-municipality': 'The letter is for another municipality.',
      'wrong-department': 'The letter is for another department of the municipality.',
      'not-for-us': 'The letter does not belong in the case system.',
      unreadable: 'The letter cannot be read.',
      duplicate: 'The letter was received before.',
      'handed-over': 'Another municipality has taken the letter over.',
      unwanted: 'The letter is unwanted.',
      other: 'Another reason.',
    },
    handover: {
      open: 'waits for an answer',
      taken: 'was taken',
      refused: 'was refused',
      withdrawn: 'was withdrawn',
      expired: 'has expired',
      void: 'has lapsed',
    },
    role: { main: 'Main document', additional: 'Attachment', technical: 'Technical document' },
    remark: {
      'unknown-version': 'The letter has an unknown version of the format MeMo; it was read as version 1.2.',
      'missing-element': 'Something that the format requires is missing.',
      'unknown-element': 'Something that the format does not know here is in the original only.',
      'repeated-element': 'Something is there more often than the format allows.',
      'wrong-order': 'Something is in another order than the format requires.',
      'unexpected-text': 'There is text where the format has none; it is in the original only.',
      'misplaced-file': 'A file was in a wrong place; it was kept as an attachment.',
      'text-too-long': 'A text is longer than the format allows; all of it was kept.',
      'empty-element': 'Something is empty that must not be.',
      'nil-with-value': 'Something is said to be empty, but has content; it was kept.',
      'wrong-uuid': 'An id has a wrong form.',
      'wrong-date': 'A date has a wrong form.',
      'wrong-boolean': 'A yes or no has a wrong form.',
      'wrong-language': 'A language code has a wrong form.',
      'wrong-url': 'A web address has a wrong form.',
      'wrong-number': 'A CPR or CVR number has a wrong number of digits.',
      'unknown-value': 'A value is not one that the format allows.',
      'type-differs': 'A file is not of the type that it is said to be.',
      'bad-file-name': 'A file name has a character that Digital Post does not allow.',
      'more-remarks': 'There are more faults than those listed.',
    },
  },
});
