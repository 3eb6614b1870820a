import type { DocumentAnswer } from '@indbakke/shared/api';
import { inBoth, useFormat, useTexts } from '../language.js';
import { WORDS } from '../words.js';
import { SentOn } from './sent-on.js';
import { LETTER_WORDS } from './words.js';

const texts = inBoth({
  da: {
    training: 'Øvelse: brevet er ikke ægte',
    late: 'Forsinket: brevet er meget ældre end sin modtagelse',
    concern: 'Mulig underretning',
    legalHold: 'Juridisk bevaring',
    rejectedBy: (by: string, at: string) => `Afvist af ${by}, ${at}.`,
    sentOn: (place: string) => `Sendt videre til ${place}.`,
    informed: 'Afsenderen er underrettet.',
    nothing: 'Der er intet at gøre.',
    open: 'Ingen har oplyst, hvad der er sket med brevet.',
    deletionWaits: (by: string) => `${by} har bedt om, at brevet slettes. En anden skal bekræfte det.`,
    deletionDue: (at: string) => `Brevet slettes for altid ${at}.`,
    removed: (at: string) => `Brevets indhold er fjernet ${at} efter kommunens frist.`,
    holdReason: (reason: string, by: string) => `Juridisk bevaring: ${reason} (${by}).`,
  },
  en: {
    training: 'Training: the letter is made up',
    late: 'Late: the letter is much older than its receipt',
    concern: 'Possible report of concern',
    legalHold: 'Legal hold',
    rejectedBy: (by: string, at: string) => `Rejected by ${by}, ${at}.`,
    sentOn: (place: string) => `Sent on to ${place}.`,
    informed: 'The sender was informed.',
    nothing: 'There is nothing to do.',
    open: 'Nobody has told what became of the letter.',
    deletionWaits: (by: string) => `${by} has asked for the letter to be deleted. Another person must confirm it.`,
    deletionDue: (at: string) => `The letter is deleted for good ${at}.`,
    removed: (at: string) => `The content of the letter was removed ${at}, after the municipality’s time.`,
    holdReason: (reason: string, by: string) => `Legal hold: ${reason} (${by}).`,
  },
});

/** Status and marks, each a word or two. */
export function Marks({ letter }: { readonly letter: DocumentAnswer }) {
  const own = useTexts(texts);
  const words = useTexts(WORDS);
  return (
    <ul class="marks">
      <li class="badge">{words.status[letter.status]}</li>
      {letter.isTraining && <li class="badge badge-warning">{own.training}</li>}
      {letter.concern && <li class="badge badge-warning">{own.concern}</li>}
      {letter.late && <li class="badge badge-warning">{own.late}</li>}
      {letter.legalHold && <li class="badge badge-warning">{own.legalHold}</li>}
    </ul>
  );
}

/** Why it is held, rejected, or about to be deleted. */
export function Standing({ letter }: { readonly letter: DocumentAnswer }) {
  const own = useTexts(texts);
  const words = useTexts(LETTER_WORDS);
  const format = useFormat();
  const { rejection, deletion, heldCause, contentRemovedAt } = letter;
  const hold = letter.legalHold ? letter.legalHolds[0] : undefined;
  if (!rejection && !deletion && !heldCause && !contentRemovedAt && !hold) return null;
  const outcome = rejection?.outcome;
  return (
    <div class="alert alert-warning">
      {heldCause && <p>{words.heldCause[heldCause]}</p>}
      {rejection && (
        <p>
          {own.rejectedBy(rejection.by, format.time(rejection.at))} {words.rejection[rejection.reason]}
        </p>
      )}
      {rejection?.explanation && <blockquote>{rejection.explanation}</blockquote>}
      {rejection && (
        <p>
          {outcome?.forwardedTo && `${own.sentOn(outcome.forwardedTo.name)} `}
          {outcome?.senderInformed && own.informed}
          {outcome?.nothingToDo && own.nothing}
          {!outcome && own.open}
        </p>
      )}
      {letter.sentOn && rejection && <SentOn sentOn={letter.sentOn} />}
      {deletion && (
        <p>{deletion.dueAt ? own.deletionDue(format.time(deletion.dueAt)) : own.deletionWaits(deletion.requestedBy)}</p>
      )}
      {hold && <p>{own.holdReason(hold.reason, hold.setBy)}</p>}
      {contentRemovedAt && <p>{own.removed(format.time(contentRemovedAt))}</p>}
    </div>
  );
}
