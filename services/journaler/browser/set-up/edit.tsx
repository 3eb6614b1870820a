import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, call } from '../api.js';
import { ErrorAlert } from '../errors.js';
import { inBoth, useFormat, useTexts } from '../language.js';
import { SESSION } from '../session.js';
import { Form } from './form.js';
import { type Change, type Fields, useWords } from './labels.js';
import { isSame, keepDraft, keptDraft, rebase, type Values } from './values.js';

const texts = inBoth({
  da: {
    save: 'Gem',
    saved: 'Gemt. Det gælder fra det næste brev; post, som det frigiver, kommer i indbakken i løbet af sekunder.',
    first: (who: string, at: string) => `${who} gemte ændringer ${at}, mens du skrev.`,
    firstSomebody: 'En anden gemte ændringer, mens du skrev.',
    kept: 'Det, du har skrevet, står stadig i felterne, og det, du ikke har rørt, er som den anden gemte det. Se det igennem, og gem igen.',
    field: 'Felt',
    before: 'Før',
    after: 'Nu',
    differences: 'Det, der blev ændret imens',
    same: 'Felterne her er ikke ændret.',
  },
  en: {
    save: 'Save',
    saved: 'Saved. It takes effect with the next letter; mail that it releases is in the inbox within seconds.',
    first: (who, at) => `${who} saved changes ${at}, while you typed.`,
    firstSomebody: 'Somebody else saved changes while you typed.',
    kept: 'What you typed is still in the fields, and what you did not touch is as the other saved it. Look through it, and save again.',
    field: 'Field',
    before: 'Before',
    after: 'Now',
    differences: 'What was changed meanwhile',
    same: 'The fields here are not changed.',
  },
});

interface EditProps<Answer> {
  /** Names what was typed and is not saved; and of what it is, for the list of changes. */
  readonly draft: string;
  readonly isOf: (change: Change) => boolean;
  read(): Promise<Answer>;
  valuesOf(answer: Answer): Values;
  save(values: Values, version: number): Promise<unknown>;
  readonly savedText?: string;
  /** Called with what is set up, after it was read. */
  onRead?(answer: Answer): void;
  children(answer: Answer): ComponentChildren;
}

interface Conflict<Answer> {
  readonly before: Answer;
  readonly now: Answer;
  readonly change: Change | undefined;
}

/** The form of something that has a version: where somebody else was first, it shows what changed, and keeps what was typed. */
export function Edit<Answer extends { readonly version: number }>(props: EditProps<Answer>) {
  const own = useTexts(texts);
  const [answer, setAnswer] = useState<Answer>();
  const [values, setValues] = useState<Values>({});
  const [conflict, setConflict] = useState<Conflict<Answer>>();
  const [saved, setSaved] = useState<string>();
  const [error, setError] = useState<unknown>();

  const take = (read: Answer) => {
    setAnswer(read);
    props.onRead?.(read);
    return props.valuesOf(read);
  };
  /** Puts what was typed on top of what is set up now. */
  const meet = async (before: Answer, typed: Values) => {
    const now = await props.read();
    const newest = take(now);
    const merged = rebase(typed, props.valuesOf(before), newest);
    setValues(merged);
    keepDraft(props.draft, isSame(merged, newest) ? undefined : { answer: now, values: merged });
    if (now.version === before.version) return setConflict(undefined);
    const { items } = await call<{ items: Change[] }>('GET', '/municipality/changes').catch(() => ({ items: [] }));
    setConflict({ before, now, change: items.find(props.isOf) });
  };
  useEffect(() => {
    const draft = keptDraft<Answer>(props.draft);
    const begin = draft ? meet(draft.answer, draft.values) : props.read().then((read) => setValues(take(read)));
    begin.catch(setError);
  }, [props.draft]);

  if (!answer) return <ErrorAlert error={error} />;
  const base = props.valuesOf(answer);
  const type = (typed: Values) => {
    setValues(typed);
    setSaved(undefined);
    keepDraft(props.draft, isSame(typed, base) ? undefined : { answer, values: typed });
  };
  const save = async () => {
    setSaved(undefined);
    try {
      await props.save(values, answer.version);
    } catch (refused) {
      if (!(refused instanceof ApiError) || refused.code !== 'version-changed') throw refused;
      return meet(answer, values);
    }
    keepDraft(props.draft, undefined);
    setConflict(undefined);
    setValues(take(await props.read()));
    setSaved(props.savedText ?? own.saved);
  };
  return (
    <>
      {conflict && <Meanwhile conflict={conflict} />}
      <Form
        values={values}
        isChanged={!isSame(values, base)}
        saved={saved}
        submit={own.save}
        onValues={type}
        onDiscard={() => {
          type(base);
          setConflict(undefined);
        }}
        onSave={save}
      >
        {props.children(answer)}
      </Form>
    </>
  );
}

/** Who was first, and what they changed. */
function Meanwhile<Answer>({ conflict: { before, now, change } }: { readonly conflict: Conflict<Answer> }) {
  const own = useTexts(texts);
  const format = useFormat();
  const { differences } = useWords();
  const alert = useRef<HTMLDivElement>(null);
  useEffect(() => alert.current?.focus(), [now]);
  const found = differences(settingsOf(before), settingsOf(now));
  const isOther = change && change.by !== SESSION.id;
  return (
    <div class="alert alert-warning" role="alert" tabIndex={-1} ref={alert}>
      <p>
        <strong>{isOther ? own.first(change.by, format.time(change.at)) : own.firstSomebody}</strong> {own.kept}
      </p>
      {found.length === 0 ? (
        <p>{own.same}</p>
      ) : (
        <div class="scroll">
          <table>
            <caption>{own.differences}</caption>
            <thead>
              <tr>
                <th scope="col">{own.field}</th>
                <th scope="col">{own.before}</th>
                <th scope="col">{own.after}</th>
              </tr>
            </thead>
            <tbody>
              {found.map(({ field, before: old, after }) => (
                <tr key={field}>
                  <th scope="row">{field}</th>
                  <td>{old}</td>
                  <td>{after}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

const NO_SETTINGS = ['version', 'warnings', 'cvr', 'isTraining', 'id'];
const settingsOf = (answer: unknown): Fields =>
  Object.fromEntries(Object.entries(answer as Fields).filter(([name]) => !NO_SETTINGS.includes(name)));
