import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, call } from '../api.js';
import { ErrorAlert } from '../errors.js';
import { Title } from '../frame.js';
import { inBoth, useTexts } from '../language.js';
import { goTo, Link, type Path } from '../router.js';
import { Edit } from './edit.js';
import { Form } from './form.js';
import { takeTold, tellThere } from './told.js';
import { isSame, keepDraft, keptDraft, type Values } from './values.js';

// What contact points and departments have in common: a list, a form for a new one, one that changes it, and a question that
// removes it.

export interface Entry {
  readonly id: string;
  readonly name: string;
  readonly version: number;
}

export interface EntryTexts {
  readonly title: string;
  readonly add: string;
  readonly addTitle: string;
  readonly import: string;
  readonly importTitle: string;
  readonly none: string;
  readonly added: string;
  readonly removed: (name: string) => string;
  readonly remove: string;
  readonly askRemove: (name: string) => string;
}

/** How entries of a kind are called, read and shown. */
export interface EntryKind<E extends Entry> {
  readonly name: 'contact-point' | 'department';
  /** Of the API. */
  readonly path: '/contact-points' | '/departments';
  readonly of: 'contactPoint' | 'department';
  /** Of a new one. */
  readonly empty: Values;
  valuesOf(entry: E): Values;
  bodyOf(values: Values): object;
}

const texts = inBoth({
  da: {
    addNow: 'Opret',
    cancel: 'Annullér',
    changedMeanwhile: 'En anden har ændret det imens, så intet er fjernet. Se det igennem, og fjern det så.',
  },
  en: {
    addNow: 'Add',
    cancel: 'Cancel',
    changedMeanwhile:
      'Somebody else has changed it meanwhile, so nothing was removed. Look through it, then remove it.',
  },
});

/** As a part of a path of ours, which the server takes. */
export const inPath = (id: string) =>
  encodeURIComponent(id).replace(/[.!~*'()]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);

export const pathOf = (kind: Pick<EntryKind<Entry>, 'name'>, id?: string): Path =>
  id === undefined ? `/set-up/${kind.name}s` : `/set-up/${kind.name}s/${inPath(id)}`;

/** A sentence about what was done on the page before. */
export function Told() {
  const [told] = useState(takeTold);
  const here = useRef<HTMLParagraphElement>(null);
  useEffect(() => here.current?.focus(), []);
  if (told === undefined) return null;
  return (
    <p class="alert alert-success" role="status" tabIndex={-1} ref={here}>
      {told}
    </p>
  );
}

interface ListProps<E extends Entry> {
  readonly kind: EntryKind<E>;
  readonly own: EntryTexts;
  readonly intro: string;
  readonly headings: readonly string[];
  cells(entry: E): readonly ComponentChildren[];
}

export function EntryListPage<E extends Entry>({ kind, own, intro, headings, cells }: ListProps<E>) {
  const [items, setItems] = useState<readonly E[]>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    call<{ items: E[] }>('GET', kind.path).then((list) => setItems(list.items), setError);
  }, []);
  return (
    <>
      <Title>{own.title}</Title>
      <Told />
      <p>{intro}</p>
      <p class="answers">
        <Link class="button button-primary" to={`/set-up/new-${kind.name}`}>
          {own.add}
        </Link>
        <Link class="button button-secondary" to={`/set-up/import-${kind.name}s`}>
          {own.import}
        </Link>
      </p>
      <ErrorAlert error={error} />
      {items?.length === 0 && <p>{own.none}</p>}
      {items && items.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
        <section class="scroll" tabIndex={0} aria-label={own.title}>
          <table class="cards">
            <thead>
              <tr>
                {headings.map((heading) => (
                  <th scope="col" key={heading}>
                    {heading}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {items.map((entry) => (
                <tr key={entry.id}>
                  <th scope="row" data-title={headings[0]}>
                    <Link to={pathOf(kind, entry.id)}>{entry.name}</Link>
                  </th>
                  {cells(entry).map((cell, at) => (
                    <td key={headings[at + 1]} data-title={headings[at + 1]}>
                      {cell}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  );
}

interface PageProps<E extends Entry> {
  readonly kind: EntryKind<E>;
  readonly own: EntryTexts;
  readonly children: ComponentChildren;
}

export function NewEntryPage<E extends Entry>({ kind, own, children }: PageProps<E>) {
  const { addNow } = useTexts(texts);
  const draft = `new-${kind.name}`;
  const [values, setValues] = useState(() => keptDraft<null>(draft)?.values ?? kind.empty);
  const type = (typed: Values) => {
    setValues(typed);
    keepDraft(draft, isSame(typed, kind.empty) ? undefined : { answer: null, values: typed });
  };
  const add = async () => {
    const body = { id: String(values.id ?? '').trim(), ...kind.bodyOf(values) };
    const { id } = await call<{ id: string }>('POST', kind.path, { body });
    keepDraft(draft, undefined);
    tellThere(own.added);
    goTo(pathOf(kind, id));
  };
  return (
    <>
      <Title>{own.addTitle}</Title>
      <Form
        values={values}
        isChanged={!isSame(values, kind.empty)}
        saved={undefined}
        submit={addNow}
        onValues={type}
        onDiscard={() => type(kind.empty)}
        onSave={add}
      >
        {children}
      </Form>
    </>
  );
}

interface EditPageProps<E extends Entry> extends Omit<PageProps<E>, 'children'> {
  readonly id: string;
  read(): Promise<E>;
  fields(entry: E): ComponentChildren;
  readonly savedText?: string;
  readonly after?: ComponentChildren;
}

export function EditEntryPage<E extends Entry>({ kind, own, id, read, fields, savedText, after }: EditPageProps<E>) {
  const [entry, setEntry] = useState<E>();
  return (
    <>
      {entry && <Title key={entry.id}>{entry.name}</Title>}
      <Told />
      {entry && (
        <p>
          <code>{entry.id}</code>
        </p>
      )}
      <Edit<E>
        draft={`${kind.name} ${id}`}
        isOf={(change) => change[kind.of] === id}
        read={read}
        valuesOf={kind.valuesOf}
        save={(values, version) => call('PUT', `${kind.path}/${inPath(id)}`, { body: kind.bodyOf(values), version })}
        savedText={savedText}
        onRead={setEntry}
      >
        {fields}
      </Edit>
      {after}
      {entry && <Remove kind={kind} own={own} entry={entry} />}
    </>
  );
}

/** Asks, and removes. */
function Remove<E extends Entry>({ kind, own, entry }: Omit<PageProps<E>, 'children'> & { readonly entry: E }) {
  const { cancel, changedMeanwhile } = useTexts(texts);
  const dialog = useRef<HTMLDialogElement>(null);
  const [error, setError] = useState<unknown>();
  const isOutdated = error instanceof ApiError && error.code === 'version-changed';
  const remove = async () => {
    try {
      await call('DELETE', `${kind.path}/${inPath(entry.id)}`, { version: entry.version });
    } catch (refused) {
      return setError(refused);
    }
    keepDraft(`${kind.name} ${entry.id}`, undefined);
    tellThere(own.removed(entry.name));
    goTo(pathOf(kind));
  };
  return (
    <>
      <p class="remove">
        <button class="button button-secondary" type="button" onClick={() => dialog.current?.showModal()}>
          {own.remove}
        </button>
      </p>
      <dialog ref={dialog} aria-labelledby="remove-title" onClose={() => setError(undefined)}>
        <h2 id="remove-title">{own.remove}</h2>
        {isOutdated ? (
          <p class="alert alert-error" role="alert">
            {changedMeanwhile}
          </p>
        ) : (
          <ErrorAlert error={error} />
        )}
        <p>{own.askRemove(entry.name)}</p>
        <div class="answers">
          <button class="button button-primary" type="button" onClick={remove} disabled={isOutdated}>
            {own.remove}
          </button>
          <button class="button button-secondary" type="button" onClick={() => dialog.current?.close()}>
            {cancel}
          </button>
        </div>
      </dialog>
    </>
  );
}
