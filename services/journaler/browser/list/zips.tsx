import type { ZipDownloadAnswer, ZipDownloadCreated } from '@indbakke/shared/api';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ActionForm } from '../actions/form.js';
import { call } from '../api.js';
import { ErrorAlert } from '../errors.js';
import { inBoth, useFormat, useTexts } from '../language.js';
import { PREFIX } from '../session.js';

const texts = inBoth({
  da: {
    make: (count: number) => (count === 1 ? 'Hent brevet som zip' : `Hent ${count} breve som zip`),
    submit: 'Lav zip',
    meaning: 'Den laves i baggrunden. Du kan arbejde videre imens.',
    tooMany: 'Vælg højst 1000 breve til en zip.',
    parts: 'Ud over hoveddokument og bilag',
    cover: 'Følgeseddel',
    technical: 'Tekniske dokumenter',
    original: 'Den originale meddelelse',
    title: 'Mine zip-filer',
    of: (count: string, size: string) => `Zip med ${count} breve, ${size}`,
    progress: (percent: number) => `${percent} %`,
    waiting: 'venter',
    failed: 'blev ikke lavet: ingen af brevene kunne komme med',
    cancelled: 'annulleret',
    download: 'Hent',
    cancel: 'Annullér',
    remove: 'Fjern',
    until: (time: string) => `ligger her til ${time}`,
    leftOut: (count: number) => `${count} kom ikke med`,
    ready: 'Zip-filen er klar.',
  },
  en: {
    make: (count: number) => (count === 1 ? 'Get the letter as a zip' : `Get ${count} letters as a zip`),
    submit: 'Make the zip',
    meaning: 'It is made in the background. You can work on meanwhile.',
    tooMany: 'Select at most 1000 letters for a zip.',
    parts: 'Beside the main document and attachments',
    cover: 'Cover sheet',
    technical: 'Technical documents',
    original: 'The original message',
    title: 'My zip files',
    of: (count: string, size: string) => `Zip of ${count} letters, ${size}`,
    progress: (percent: number) => `${percent} %`,
    waiting: 'waits',
    failed: 'was not made: none of the letters could be put into it',
    cancelled: 'cancelled',
    download: 'Download',
    cancel: 'Cancel',
    remove: 'Remove',
    until: (time: string) => `kept until ${time}`,
    leftOut: (count: number) => `${count} left out`,
    ready: 'The zip file is ready.',
  },
});

/** Letters in one zip, by the API. */
const MOST = 1_000;
const PARTS = ['cover', 'technical', 'original'] as const;

interface ZipFormProps {
  readonly ids: readonly string[];
  readonly onMade: () => void;
  readonly onCancel: () => void;
}

/** Asks for a zip of many letters. */
export function ZipForm({ ids, onMade, onCancel }: ZipFormProps) {
  const own = useTexts(texts);
  const [include, setInclude] = useState<readonly string[]>([]);
  const [error, setError] = useState<unknown>();
  const isTooMany = ids.length > MOST;
  const [isBusy, setBusy] = useState(false);
  const make = () => {
    if (isTooMany) return;
    setBusy(true);
    call<ZipDownloadCreated>('POST', '/zip-downloads', { body: { items: ids, include } }).then(onMade, (failure) => {
      setError(failure);
      setBusy(false);
    });
  };
  return (
    <ActionForm
      title={own.make(ids.length)}
      submit={own.submit}
      isFilled
      isBusy={isBusy}
      error={error}
      onSubmit={make}
      onCancel={onCancel}
    >
      <p>{own.meaning}</p>
      {isTooMany && (
        <p class="alert alert-warning" role="alert">
          {own.tooMany}
        </p>
      )}
      <fieldset class="choice">
        <legend class="form-label">{own.parts}</legend>
        {PARTS.map((part) => (
          <label key={part}>
            <input
              type="checkbox"
              checked={include.includes(part)}
              onChange={({ currentTarget }) => {
                const others = include.filter((each) => each !== part);
                setInclude(currentTarget.checked ? [...others, part] : others);
              }}
            />
            <span>{own[part]}</span>
          </label>
        ))}
      </fieldset>
    </ActionForm>
  );
}

const POLL_MS = 1_000;
const isBeingMade = ({ status }: ZipDownloadAnswer) => status === 'waiting' || status === 'running';

interface ZipsProps {
  /** Changes when one was asked for. */
  readonly asked: number;
  readonly onTell: (sentence: string) => void;
}

/** The caller’s zips: how far they are, and where they are when they are ready. */
export function Zips({ asked, onTell }: ZipsProps) {
  const own = useTexts(texts);
  const format = useFormat();
  const [zips, setZips] = useState<readonly ZipDownloadAnswer[]>([]);
  const [error, setError] = useState<unknown>();
  const [round, setRound] = useState(0);
  const section = useRef<HTMLElement>(null);
  const making = useRef<readonly string[]>([]);

  useEffect(() => {
    const ended = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const read = async () => {
      const { items } = await call<{ items: ZipDownloadAnswer[] }>('GET', '/zip-downloads', { signal: ended.signal });
      setZips(items);
      setError(undefined);
      if (items.some(({ id, status }) => status === 'ready' && making.current.includes(id))) onTell(own.ready);
      making.current = items.filter(isBeingMade).map(({ id }) => id);
      if (making.current.length > 0) timer = setTimeout(look, POLL_MS);
    };
    const look = () => {
      read().catch((failure: unknown) => {
        if (!ended.signal.aborted) setError(failure);
      });
    };
    look();
    return () => {
      ended.abort();
      clearTimeout(timer);
    };
  }, [asked, round]);

  if (zips.length === 0 && !error) return null;
  const remove = (id: string) => {
    section.current?.focus();
    call('DELETE', `/zip-downloads/${id}`).then(() => setRound((count) => count + 1), setError);
  };
  return (
    <section class="zips" aria-label={own.title} ref={section} tabIndex={-1}>
      <h2>{own.title}</h2>
      <ErrorAlert error={error} />
      <ul class="plain no-max-width">
        {zips.map((zip) => (
          <li key={zip.id}>
            <span id={`zip-${zip.id}`}>
              {own.of(format.number(zip.messageCount), format.size(zip.zipSize ?? zip.size))}
            </span>
            {isBeingMade(zip) && (
              <>
                <progress value={zip.percent} max={100} aria-labelledby={`zip-${zip.id}`} />
                <span class="quiet">{zip.status === 'waiting' ? own.waiting : own.progress(zip.percent)}</span>
              </>
            )}
            {zip.status === 'ready' && (
              <>
                <a
                  class="button button-primary"
                  href={`${PREFIX}/api/v1/zip-downloads/${zip.id}/content`}
                  download
                  aria-describedby={`zip-${zip.id}`}
                >
                  {own.download}
                </a>
                <span class="quiet">{own.until(format.time(zip.expiresAt))}</span>
              </>
            )}
            {(zip.status === 'failed' || zip.status === 'cancelled') && <span class="quiet">{own[zip.status]}</span>}
            {zip.leftOut.length > 0 && <span class="quiet">{own.leftOut(zip.leftOut.length)}</span>}
            <button
              type="button"
              class="button button-secondary"
              aria-describedby={`zip-${zip.id}`}
              onClick={() => remove(zip.id)}
            >
              {isBeingMade(zip) ? own.cancel : own.remove}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
