import type { DocumentList, DocumentSummary } from '@indbakke/shared/api';
import { nameOfSender } from '@indbakke/shared/danish-words';
import { useEffect, useRef, useState } from 'preact/hooks';
import { call } from '../api.js';
import { ErrorAlert } from '../errors.js';
import { Foreign } from '../foreign.js';
import { Title } from '../frame.js';
import { inBoth, useFormat, useTexts } from '../language.js';
import { Link } from '../router.js';
import { pathOf } from './entries.js';
import { CAUSES, type Cause } from './labels.js';

const texts = inBoth({
  da: {
    title: 'Tilbageholdt post',
    intro:
      'Post går ikke tabt: den ligger her, til opsætningen er rettet. Så frigives den af sig selv i løbet af sekunder, ældste først.',
    none: 'Ingen post holdes tilbage.',
    todo: 'Det kan du gøre',
    count: (count: string) => (count === '1' ? '1 brev' : `${count} breve`),
    received: 'Modtaget',
    sender: 'Afsender',
    subject: 'Emne',
    noSubject: '(uden emne)',
    point: 'Kontaktpunkt',
    release: 'Frigiv',
    releaseOf: (subject: string) => `Frigiv ${subject}`,
    ask: 'Frigiv brevet',
    asked: (subject: string) => `Skal “${subject}” frigives til indbakken? Det kan ikke holdes tilbage igen.`,
    cancel: 'Annullér',
    released: 'Brevet er frigivet.',
    gone: {
      one: '1 brev holdes ikke længere tilbage.',
      more: (count: string) => `${count} breve holdes ikke længere tilbage.`,
    },
    more: 'Der er flere. Ret opsætningen, så kommer de frem her.',
    add: 'Opret kontaktpunkt',
    points: 'Kontaktpunkter',
    settings: 'Kommunens indstillinger',
  },
  en: {
    title: 'Held mail',
    intro:
      'Mail is not lost: it is here until the set-up is mended. Then it is released by itself within seconds, oldest first.',
    none: 'No mail is held.',
    todo: 'What you can do',
    count: (count) => (count === '1' ? '1 letter' : `${count} letters`),
    received: 'Received',
    sender: 'Sender',
    subject: 'Subject',
    noSubject: '(no subject)',
    point: 'Contact point',
    release: 'Release',
    releaseOf: (subject) => `Release ${subject}`,
    ask: 'Release the letter',
    asked: (subject) => `Release “${subject}” into the inbox? It cannot be held again.`,
    cancel: 'Cancel',
    released: 'The letter is released.',
    gone: { one: '1 letter is no longer held.', more: (count) => `${count} letters are no longer held.` },
    more: 'There are more. Mend the set-up, and they appear here.',
    add: 'Add a contact point',
    points: 'Contact points',
    settings: 'Settings of the municipality',
  },
});

const POLL_MS = 3_000;

/** The held letters by cause: what is wrong, and what to do. */
export function Held() {
  const own = useTexts(texts);
  const causes = useTexts(CAUSES);
  const format = useFormat();
  const [list, setList] = useState<DocumentList>();
  const [error, setError] = useState<unknown>();
  const [told, setTold] = useState('');
  const [asked, setAsked] = useState<DocumentSummary>();
  const heading = useRef<HTMLDivElement>(null);
  const before = useRef<readonly string[]>([]);

  const read = async () => {
    const now = await call<DocumentList>('GET', '/incoming-documents?status=held&limit=200&sort=receivedAt');
    const ids = new Set(now.items.map(({ id }) => id));
    const gone = before.current.filter((id) => !ids.has(id)).length;
    before.current = [...ids];
    setList(now);
    if (gone > 0) setTold(gone === 1 ? own.gone.one : own.gone.more(format.number(gone)));
  };
  useEffect(() => {
    read().catch(setError);
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') read().then(() => setError(undefined), setError);
    }, POLL_MS);
    return () => clearInterval(timer);
  }, []);
  const release = async ({ id, version }: DocumentSummary) => {
    setAsked(undefined);
    setError(undefined);
    try {
      await call('POST', `/incoming-documents/${id}/release`, { version });
      before.current = before.current.filter((each) => each !== id);
      setTold(own.released);
    } catch (refused) {
      setError(refused);
    }
    await read().catch(setError);
    heading.current?.focus();
  };
  const groups = (Object.keys(causes) as Cause[])
    .map((cause) => ({ cause, letters: (list?.items ?? []).filter(({ heldCause }) => heldCause === cause) }))
    .filter(({ letters }) => letters.length > 0);
  return (
    <>
      <Title>{own.title}</Title>
      <p>{own.intro}</p>
      <div tabIndex={-1} ref={heading}>
        <ErrorAlert error={error} />
        <p role="status" class={told ? 'alert alert-success' : undefined}>
          {told}
        </p>
      </div>
      {list?.items.length === 0 && <p>{own.none}</p>}
      {groups.map(({ cause, letters }) => (
        <section key={cause} aria-labelledby={`held-${cause}`} class="held">
          <h2 id={`held-${cause}`}>
            {causes[cause].name}: {own.count(format.number(letters.length))}
          </h2>
          <p>
            {own.todo}: {causes[cause].remedy} <Remedy cause={cause} />
          </p>
          <Letters letters={letters} onRelease={setAsked} />
        </section>
      ))}
      {list?.nextCursor && <p>{own.more}</p>}
      {asked && <AskRelease letter={asked} onRelease={() => release(asked)} onCancel={() => setAsked(undefined)} />}
    </>
  );
}

/** Where it is mended. */
function Remedy({ cause }: { readonly cause: Cause }) {
  const own = useTexts(texts);
  if (cause === 'conflict') return null;
  if (cause === 'unknown-contact-point') return <Link to="/set-up/new-contact-point">{own.add}</Link>;
  if (cause === 'contact-point-off') return <Link to={pathOf({ name: 'contact-point' })}>{own.points}</Link>;
  return <Link to="/set-up">{own.settings}</Link>;
}

interface LettersProps {
  readonly letters: readonly DocumentSummary[];
  onRelease(letter: DocumentSummary): void;
}

function Letters({ letters, onRelease }: LettersProps) {
  const own = useTexts(texts);
  const format = useFormat();
  return (
    <div class="scroll">
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">{own.subject}</th>
            <th scope="col">{own.sender}</th>
            <th scope="col">{own.received}</th>
            <th scope="col">{own.point}</th>
            <th scope="col">{own.release}</th>
          </tr>
        </thead>
        <tbody>
          {letters.map((letter) => (
            <tr key={letter.id}>
              <td data-title={own.subject}>
                <Link to={`/letters/${letter.id}`}>
                  <Foreign>{letter.subject || own.noSubject}</Foreign>
                </Link>
              </td>
              <td data-title={own.sender}>
                <Foreign>{nameOfSender(letter.sender)}</Foreign>
              </td>
              <td class="nowrap" data-title={own.received}>
                {format.time(letter.receivedAt)}
              </td>
              <td data-title={own.point}>
                {letter.contactPoint?.name ?? (letter.contactPoint && <code class="id">{letter.contactPoint.id}</code>)}
              </td>
              <td>
                {letter.allowed.includes('released') && (
                  <button
                    class="button button-secondary"
                    type="button"
                    aria-label={own.releaseOf(letter.subject || own.noSubject)}
                    onClick={() => onRelease(letter)}
                  >
                    {own.release}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface AskProps {
  readonly letter: DocumentSummary;
  onRelease(): void;
  onCancel(): void;
}

function AskRelease({ letter, onRelease, onCancel }: AskProps) {
  const own = useTexts(texts);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="release-title" onClose={onCancel}>
      <h2 id="release-title">{own.ask}</h2>
      <p>{own.asked(letter.subject || own.noSubject)}</p>
      <div class="answers">
        <button class="button button-primary" type="button" onClick={onRelease}>
          {own.release}
        </button>
        <button class="button button-secondary" type="button" onClick={() => dialog.current?.close()}>
          {own.cancel}
        </button>
      </div>
    </dialog>
  );
}
