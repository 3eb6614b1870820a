import type { AbsenceAnswer } from '@indbakke/shared/api';
import type { Ref } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { ApiError, call } from '../api.js';
import { ErrorAlert } from '../errors.js';
import { Title } from '../frame.js';
import { inBoth, useFormat, useTexts } from '../language.js';
import { SESSION } from '../session.js';
import { inPath } from './entries.js';
import { TextField } from './fields.js';
import { Form } from './form.js';
import { isSame, textIn, type Values } from './values.js';

const texts = inBoth({
  da: {
    title: 'Fravær',
    intro:
      'En stedfortræder ser også det, der er den fraværendes. Den, der kan tildele al post, kan sætte andres fravær; alle kan sætte deres eget.',
    userHint: 'Id, som det står i kommunens login.',
    look: 'Se fraværet',
    substitute: 'Stedfortræder',
    from: 'Fra og med (åååå-mm-dd)',
    fromHint: 'Tomt: fra nu af.',
    until: 'Til og med (åååå-mm-dd)',
    save: 'Gem fraværet',
    saved: 'Fraværet er gemt.',
    none: 'Ingen stedfortræder er sat.',
    is: (substitute: string, from: string, until: string, by: string) =>
      `${substitute} er stedfortræder fra ${from} til ${until}. Sat af ${by}.`,
    remove: 'Fjern stedfortræderen',
    removed: 'Stedfortræderen er fjernet.',
  },
  en: {
    title: 'Absence',
    intro:
      'A substitute sees what is the absent user’s too. Who may assign all mail may set absences of others; everybody may set their own.',
    userHint: 'Id as the municipality’s sign-in has it.',
    look: 'See the absence',
    substitute: 'Substitute',
    from: 'From (yyyy-mm-dd)',
    fromHint: 'Empty: from now on.',
    until: 'Until the end of (yyyy-mm-dd)',
    save: 'Save the absence',
    saved: 'The absence is saved.',
    none: 'No substitute is set.',
    is: (substitute, from, until, by) => `${substitute} stands in from ${from} until ${until}. Set by ${by}.`,
    remove: 'Remove the substitute',
    removed: 'The substitute is removed.',
  },
});

const EMPTY: Values = { userId: SESSION.id, substitute: '', from: '', until: '' };

/** A day as a time of its beginning, or its end, here; whatever else it is, the API refuses. */
function timeOf(day: string, isEnd: boolean): string {
  const [, year, month, date] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day) ?? [];
  if (year === undefined) return day;
  const at = new Date(Number(year), Number(month) - 1, Number(date) + (isEnd ? 1 : 0));
  return Number.isNaN(at.getTime()) ? day : at.toISOString();
}

/** Who stands in for whom. */
export function Absences() {
  const own = useTexts(texts);
  const format = useFormat();
  const [values, setValues] = useState<Values>(EMPTY);
  const [told, setTold] = useState('');
  /** Null: none is set; undefined: that was not asked. */
  const [found, setFound] = useState<AbsenceAnswer | null>();
  const [failure, setFailure] = useState<unknown>();
  const look = useRef<HTMLButtonElement>(null);
  const userId = textIn(values, 'userId');
  const path = `/absences/${inPath(userId)}`;
  const read = async () => {
    try {
      setFound(await call<AbsenceAnswer>('GET', path));
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'not-found') throw error;
      setFound(null);
    }
  };
  const save = async () => {
    const [from, until] = [textIn(values, 'from'), textIn(values, 'until')];
    if (!userId) throw new ApiError({ code: 'bad-request', detail: 'body.userId: is missing' });
    const body = {
      substitute: textIn(values, 'substitute'),
      ...(from && { from: timeOf(from, false) }),
      until: timeOf(until, true),
    };
    await call('PUT', path, { body });
    setTold(own.saved);
    setValues({ ...EMPTY, userId });
    await read();
  };
  const remove = async () => {
    await call('DELETE', path);
    setFound(null);
    setTold(own.removed);
    look.current?.focus();
  };
  const button = (text: string, act: () => Promise<void>, ref?: Ref<HTMLButtonElement>) => (
    <button
      ref={ref}
      class="button button-secondary"
      type="button"
      onClick={() => {
        setFailure(undefined);
        setTold('');
        act().catch(setFailure);
      }}
    >
      {text}
    </button>
  );
  return (
    <>
      <Title>{own.title}</Title>
      <p>{own.intro}</p>
      <Form
        values={values}
        isChanged={!isSame({ ...values, userId: '' }, { ...EMPTY, userId: '' })}
        saved={told}
        submit={own.save}
        onValues={(typed) => {
          setValues(typed);
          setTold('');
          setFailure(undefined);
          setFound(undefined);
        }}
        onDiscard={() => setValues(EMPTY)}
        onSave={save}
      >
        <TextField name="userId" hint={own.userHint} isRequired />
        <TextField name="substitute" isRequired />
        <TextField name="from" label={own.from} hint={own.fromHint} />
        <TextField name="until" label={own.until} isRequired />
        <p>
          {userId && button(own.look, read, look)} {found && button(own.remove, remove)}
        </p>
        <ErrorAlert error={failure} />
        <p role="status">
          {found && own.is(found.substitute, format.time(found.from), format.time(found.until), found.setBy)}
          {found === null && own.none}
        </p>
      </Form>
    </>
  );
}
