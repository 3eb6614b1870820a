import type { ContactPointCheck } from '@indbakke/shared/api';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api.js';
import { ErrorAlert } from '../errors.js';
import { inBoth, useFormat, useLanguage, useTexts } from '../language.js';
import { Link } from '../router.js';
import { inPath } from './entries.js';
import { CAUSES, type CheckStatus } from './labels.js';

const texts = inBoth({
  da: {
    title: 'Kommer posten frem?',
    intro:
      'En kontrol viser, om et brev kommer hele vejen: start den, og skriv koden i emnet på et rigtigt brev fra borger.dk til kontaktpunktet.',
    start: 'Start en kontrol',
    again: 'Start en ny kontrol',
    code: 'Kode til emnet',
    started: (at: string, by: string) => `Startet ${at} af ${by}.`,
    statuses: {
      waiting: 'Brevet med koden er ikke kommet endnu. Siden følger selv med.',
      arrived: 'Brevet med koden er kommet.',
      missing: 'Brevet med koden er ikke kommet i en time. Se, hvor det kan være stoppet:',
    } satisfies Record<CheckStatus, string>,
    arrival: (at: string, minutes: string) => `Det kom ${at}, ${minutes} minutter efter start.`,
    to: (name: string) => `Det kom til ${name}.`,
    toNone: 'Det kom ikke til noget kontaktpunkt.',
    held: (cause: string) => `Det holdes tilbage: ${cause}.`,
    open: 'Åbn brevet',
    last: (at: string) => `Det nyeste brev kom ${at}.`,
    never: 'Der er aldrig kommet et brev.',
    received: (day: string, week: string, month: string) =>
      `Breve: ${day} det seneste døgn, ${week} på 7 dage, ${month} på 30 dage.`,
    warnings: 'Det ser forkert ud:',
    steps: 'Her kan I lede, i denne rækkefølge:',
    events: 'Hændelser i Administrativ Adgang',
  },
  en: {
    title: 'Does mail arrive?',
    intro:
      'A check shows whether a letter comes all the way: start it, and write the code into the subject of a real letter from borger.dk to the contact point.',
    start: 'Start a check',
    again: 'Start a new check',
    code: 'Code for the subject',
    started: (at, by) => `Started ${at} by ${by}.`,
    statuses: {
      waiting: 'The letter with the code has not come yet. The page looks by itself.',
      arrived: 'The letter with the code is here.',
      missing: 'The letter with the code has not come for an hour. See where it may have stopped:',
    },
    arrival: (at, minutes) => `It came ${at}, ${minutes} minutes after the start.`,
    to: (name) => `It came to ${name}.`,
    toNone: 'It came to no contact point.',
    held: (cause) => `It is held: ${cause}.`,
    open: 'Open the letter',
    last: (at) => `The newest letter came ${at}.`,
    never: 'No letter has ever come.',
    received: (day, week, month) => `Letters: ${day} in the last 24 hours, ${week} in 7 days, ${month} in 30 days.`,
    warnings: 'This looks wrong:',
    steps: 'Look here, in this order:',
    events: 'Events in Administrativ Adgang',
  },
});

const POLL_MS = 5_000;

/** Whether mail really arrives at a contact point. */
export function Check({ id }: { readonly id: string }) {
  const own = useTexts(texts);
  const causes = useTexts(CAUSES);
  const language = useLanguage();
  const format = useFormat();
  const [found, setFound] = useState<ContactPointCheck>();
  const [error, setError] = useState<unknown>();
  const path = `/contact-points/${inPath(id)}/check`;
  const isWaiting = found?.check?.status === 'waiting';
  useEffect(() => {
    call<ContactPointCheck>('GET', path).then(setFound, () => {}); // the form says why
  }, [path]);
  useEffect(() => {
    if (!isWaiting) return;
    const timer = setInterval(() => void call<ContactPointCheck>('GET', path).then(setFound, () => {}), POLL_MS);
    return () => clearInterval(timer);
  }, [path, isWaiting]);
  const start = () => {
    setError(undefined);
    call<ContactPointCheck>('POST', path).then(setFound, setError);
  };
  if (!found) return null;
  const { check, lastReceivedAt, received, warnings, steps } = found;
  const arrival = check?.arrival;
  return (
    <section class="check" aria-labelledby="check-title">
      <h2 id="check-title">{own.title}</h2>
      <p>{own.intro}</p>
      <ErrorAlert error={error} />
      <p>
        <button class="button button-secondary" type="button" onClick={start}>
          {check ? own.again : own.start}
        </button>
      </p>
      <div role="status">
        {check && (
          <>
            <p>
              {own.code}: <strong class="code">{check.code}</strong>
            </p>
            <p>{own.started(format.time(check.startedAt), check.startedBy)}</p>
            <p class={check.status === 'arrived' ? 'alert alert-success' : undefined}>{own.statuses[check.status]}</p>
          </>
        )}
        {arrival && (
          <p>
            {own.arrival(format.time(arrival.at), format.number(arrival.minutes))}{' '}
            {arrival.contactPoint ? own.to(arrival.contactPoint.name ?? arrival.contactPoint.id) : own.toNone}{' '}
            {arrival.heldCause && own.held(causes[arrival.heldCause].name)}{' '}
            <Link to={`/letters/${arrival.messageId}`}>{own.open}</Link>
          </p>
        )}
        {warnings.length > 0 && (
          <div class="alert alert-warning">
            <p>{own.warnings}</p>
            <ul class="no-max-width">
              {warnings.map((warning) => (
                <li key={warning.code}>{warning[language]}</li>
              ))}
            </ul>
          </div>
        )}
      </div>
      <p>
        {lastReceivedAt ? own.last(format.time(lastReceivedAt)) : own.never}{' '}
        {own.received(
          format.number(received.last24Hours),
          format.number(received.last7Days),
          format.number(received.last30Days),
        )}
      </p>
      {check && steps.length > 0 && (
        <details open={check.status === 'missing'}>
          <summary>{own.steps}</summary>
          <ol>
            {steps.map((step) => (
              <li key={step.da}>
                {step[language]}
                {step.eventNames.length > 0 && (
                  <p class="hint">
                    {own.events}:{' '}
                    {step.eventNames.map((name) => (
                      <code key={name}>{name} </code>
                    ))}
                  </p>
                )}
              </li>
            ))}
          </ol>
        </details>
      )}
    </section>
  );
}
