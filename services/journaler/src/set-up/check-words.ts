import type { CheckWarning, ContactPointCheck } from '@indbakke/shared/api';

// What people in a municipality read when they check a contact point, in both languages.

/** Where a letter can have stopped, in the order of its way, and the remedy. The names of events are those of Digital Post. */
export const STEPS_UPSTREAM: ContactPointCheck['steps'] = [
  {
    da: 'Søg efter brevet i Administrativ Adgang på tidspunkt og afsender. Blev det afvist ved afsendelsen, skal borgeren sende det igen; blev det leveret til et andet modtagersystem, peger kontaktpunktet forkert.',
    en: 'Search for the letter in Administrativ Adgang by time and sender. If it was refused when it was sent, the citizen must send it again; if it went to another recipient system, the contact point is set up wrongly.',
    eventNames: [
      'MEMO_SEND_VALIDATION_FAILED',
      'MEMO_SEND_SENT_TO_RECIPIENT_SYSTEM',
      'MEMO_SEND_SENT_TO_RECIPIENT_SYSTEM_FAILED',
      'BUSINESS_RECEIPT_RECEIVED_BY_RECIPIENT_SYSTEM',
    ],
  },
  {
    da: 'Kontrollér kontaktpunktet og dets fordelingsregel i Administrativ Adgang: det skal være aktivt, synligt for borgeren og pege på det modtagersystem, som Indbakke får post fra. Se, om nogen har ændret det.',
    en: 'Check the contact point and its distribution rule in Administrativ Adgang: it must be active, visible to the citizen, and point to the recipient system from which Indbakke gets mail. See whether somebody has changed it.',
    eventNames: ['CONTACT_POINT_CHANGED', 'SYSTEM_CHANGED'],
  },
  {
    da: 'Kontrollér i Fælleskommunalt Administrationsmodul, at modtagersystemet er registreret for kommunen.',
    en: 'Check in Fælleskommunalt Administrationsmodul that the recipient system is registered for the municipality.',
    eventNames: [],
  },
  {
    da: 'Kontrollér, at serviceaftalen for SF1606 er godkendt og gælder for kommunens CVR-nummer.',
    en: 'Check that the service agreement for SF1606 is approved and covers the CVR number of the municipality.',
    eventNames: [],
  },
  {
    da: 'Er post gået tabt undervejs, kan den leveres igen: flyt den fra Virk til et synligt kontaktpunkt, der peger på Indbakke. Den kommer med sin gamle dato og vises som forsinket.',
    en: 'Mail that went astray can be delivered again: move it from Virk to a visible contact point that leads to Indbakke. It comes with its old date, and is shown as late.',
    eventNames: [],
  },
];

/** The sentence of a warning: what is wrong, and what to do. */
export function sentencesOf(code: CheckWarning, { held }: { readonly held: number }): { da: string; en: string } {
  return {
    'not-visible': {
      da: 'Kontaktpunktet vises ikke for nogen i Digital Post. Gør det synligt for borgere, virksomheder eller myndigheder, eller sæt det til ikke aktivt.',
      en: 'The contact point is shown to nobody in Digital Post. Make it visible to citizens, companies or authorities, or set it to not active.',
    },
    'arrived-elsewhere': {
      da: 'Brevet med koden kom til et andet kontaktpunkt. Ret fordelingsreglen i Administrativ Adgang.',
      en: 'The letter with the code came to another contact point. Correct the distribution rule in Administrativ Adgang.',
    },
    'never-received': {
      da: 'Der er aldrig kommet post til kontaktpunktet. Start en kontrol, og send et brev med koden.',
      en: 'Nothing has ever come to the contact point. Begin a check, and send a letter with the code.',
    },
    'no-replies': {
      da: 'Der er sendt breve, som borgerne kan svare på til kontaktpunktet, men der er ikke kommet et eneste svar. Start en kontrol, og send et brev med koden.',
      en: 'Letters have been sent that people can answer to the contact point, but not one reply has come. Begin a check, and send a letter with the code.',
    },
    silent: {
      da: 'Der er ikke kommet post i langt længere tid end normalt for ugedagen og tidspunktet. Start en kontrol, og send et brev med koden.',
      en: 'Nothing has come for far longer than usual for the weekday and hour. Begin a check, and send a letter with the code.',
    },
    held: {
      da: `${held === 1 ? 'Et brev' : `${held} breve`} til kontaktpunktet holdes tilbage. Se årsagen på listen over tilbageholdt post, og ret opsætningen.`,
      en: `${held === 1 ? 'One message is' : `${held} messages are`} held. See the cause in the list of held messages, and mend the set-up.`,
    },
  }[code];
}
