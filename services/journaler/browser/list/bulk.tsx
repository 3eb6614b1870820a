import { useRef, useState } from 'preact/hooks';
import { AssignForm } from '../actions/assign-form.js';
import { RejectForm } from '../actions/reject-form.js';
import { ApiError } from '../api.js';
import { ErrorAlert } from '../errors.js';
import { inBoth, useFormat, useTexts } from '../language.js';
import { hasRole } from '../session.js';
import type { Filter, Seen } from './query.js';
import { readIds } from './query.js';
import { type BulkAction, type BulkReport, notDone, runBulk } from './run-bulk.js';
import type { Selection } from './selection.js';
import { ZipForm } from './zips.js';

const texts = inBoth({
  da: {
    title: 'Valgte breve',
    selected: (count: string) => `${count} valgt`,
    selectAll: (count: string) => `Vælg alle ${count}, der passer`,
    selectAllUncounted: 'Vælg alle, der passer',
    selecting: 'Vælger …',
    clear: 'Fravælg alle',
    assign: 'Tildel …',
    reject: 'Afvis …',
    zip: 'Hent som zip …',
    tooManyForZip: 'Vælg højst 1000 breve til en zip.',
    working: {
      assign: 'Tildeler',
      unassign: 'Fjerner tildeling',
      reject: 'Afviser',
      reopen: 'Genåbner',
    } as Record<BulkAction, string>,
    progress: (done: string, of: string) => `${done} af ${of}`,
    stop: 'Stop',
    done: {
      assign: (count: string, of: string) => `${count} af ${of} breve er tildelt.`,
      unassign: (count: string, of: string) => `Tildelingen af ${count} af ${of} breve er fjernet.`,
      reject: (count: string, of: string) => `${count} af ${of} breve er afvist.`,
      reopen: (count: string, of: string) => `${count} af ${of} breve er genåbnet.`,
    } as Record<BulkAction, (count: string, of: string) => string>,
    problems: {
      'version-changed': (count: string) => `${count}: en anden var først.`,
      'not-found': (count: string) => `${count}: brevet er der ikke længere, eller du kan ikke se det.`,
      'wrong-status': (count: string) => `${count}: brevet har fået en anden status.`,
      'role-missing': (count: string) => `${count}: det har du ikke rettighed til.`,
      'legal-hold': (count: string) => `${count}: brevet er under juridisk bevaring.`,
    } as Record<string, (count: string) => string>,
    otherProblem: (count: string, code: string) => `${count}: ${code}.`,
    notReached: (count: string) => `${count}: ikke nået.`,
    stillSelected: 'De, der ikke lykkedes, er stadig valgt.',
    undo: 'Fortryd',
    close: 'Luk',
  },
  en: {
    title: 'Selected letters',
    selected: (count: string) => `${count} selected`,
    selectAll: (count: string) => `Select all ${count} that match`,
    selectAllUncounted: 'Select all that match',
    selecting: 'Selecting …',
    clear: 'Deselect all',
    assign: 'Assign …',
    reject: 'Reject …',
    zip: 'Get as a zip …',
    tooManyForZip: 'Select at most 1000 letters for a zip.',
    working: { assign: 'Assigning', unassign: 'Removing assignment', reject: 'Rejecting', reopen: 'Reopening' },
    progress: (done: string, of: string) => `${done} of ${of}`,
    stop: 'Stop',
    done: {
      assign: (count: string, of: string) => `${count} of ${of} letters are assigned.`,
      unassign: (count: string, of: string) => `The assignment of ${count} of ${of} letters is removed.`,
      reject: (count: string, of: string) => `${count} of ${of} letters are rejected.`,
      reopen: (count: string, of: string) => `${count} of ${of} letters are reopened.`,
    },
    problems: {
      'version-changed': (count: string) => `${count}: somebody else was first.`,
      'not-found': (count: string) => `${count}: the letter is gone, or you may not see it.`,
      'wrong-status': (count: string) => `${count}: the letter has another status now.`,
      'role-missing': (count: string) => `${count}: you may not do that.`,
      'legal-hold': (count: string) => `${count}: the letter is under a legal hold.`,
    },
    otherProblem: (count: string, code: string) => `${count}: ${code}.`,
    notReached: (count: string) => `${count}: not reached.`,
    stillSelected: 'Those that did not succeed are still selected.',
    undo: 'Undo',
    close: 'Close',
  },
});

const UNDO: Partial<Record<BulkAction, BulkAction>> = { assign: 'unassign', reject: 'reopen' };
const MOST_IN_ZIP = 1_000;

export type Asked = 'assign' | 'reject' | 'zip';

interface BulkProps {
  readonly filter: Filter;
  /** How many letters match the filter, as text; undefined: not known. */
  readonly matching: string | undefined;
  readonly selection: Selection;
  /** Which form is open. */
  readonly asked: Asked | undefined;
  readonly onAsk: (asked: Asked | undefined) => void;
  readonly onDone: () => void;
  readonly onZip: () => void;
}

/** What can be done with many letters at once, how far it is, and what came of it. */
export function Bulk({ filter, matching, selection, asked, onAsk, onDone, onZip }: BulkProps) {
  const own = useTexts(texts);
  const format = useFormat();
  const { selected, change } = selection;
  const [run, setRun] = useState<{ readonly action: BulkAction; readonly answered: number; readonly of: number }>();
  const [report, setReport] = useState<BulkReport>();
  const [isSelecting, setSelecting] = useState(false);
  const [error, setError] = useState<unknown>();
  const stop = useRef<AbortController | undefined>(undefined);
  const answer = useRef<HTMLElement>(null);

  const start = async (action: BulkAction, body: object, letters: readonly Seen[]) => {
    onAsk(undefined);
    setReport(undefined);
    setRun({ action, answered: 0, of: letters.length });
    stop.current = new AbortController();
    const onProgress = (answered: number) => setRun({ action, answered, of: letters.length });
    const result = await runBulk(action, body, letters, onProgress, stop.current.signal);
    setRun(undefined);
    change.remove(result.done);
    setReport(result);
    onDone();
    answer.current?.focus();
    // Who tries again does so on what the letters are now, having been told.
    if (result.problems.has('version-changed')) await readIds(filter).then(change.renew, () => undefined);
  };
  const selectAll = async () => {
    setSelecting(true);
    setError(undefined);
    await readIds(filter).then(change.add, setError);
    setSelecting(false);
  };
  const letters = () => [...selected].map(([id, version]) => ({ id, version }));
  const undone = report && UNDO[report.action];
  const button = (title: string, onClick: () => void) => (
    <button type="button" class="button button-secondary" onClick={onClick}>
      {title}
    </button>
  );

  return (
    <section class="bulk" aria-label={own.title} ref={answer} tabIndex={-1}>
      {selected.size > 0 && (
        <div class="bulk-bar">
          <strong>{own.selected(format.number(selected.size))}</strong>
          {hasRole('IndkomneDokumenter.Tildel') && button(own.assign, () => onAsk('assign'))}
          {hasRole('IndkomneDokumenter.Afvis') && button(own.reject, () => onAsk('reject'))}
          {button(own.zip, () => onAsk('zip'))}
          {button(
            isSelecting ? own.selecting : matching === undefined ? own.selectAllUncounted : own.selectAll(matching),
            () => void selectAll(),
          )}
          {button(own.clear, change.clear)}
        </div>
      )}
      <ErrorAlert error={error} />
      {run && (
        <div class="bulk-bar">
          <label for="bulk-progress">
            {own.working[run.action]}: {own.progress(format.number(run.answered), format.number(run.of))}
          </label>
          <progress id="bulk-progress" value={run.answered} max={run.of} />
          {button(own.stop, () => stop.current?.abort())}
        </div>
      )}
      {report && (
        <div class={notDone(report) === 0 ? 'alert alert-success' : 'alert alert-warning'} role="status">
          <Told report={report} />
          <p class="buttons">
            {undone && report.done.length > 0 && button(own.undo, () => void start(undone, {}, report.done))}
            {button(own.close, () => setReport(undefined))}
          </p>
        </div>
      )}
      {asked === 'assign' && (
        <AssignForm
          count={selected.size}
          isBusy={run !== undefined}
          onSubmit={(body) => void start('assign', body, letters())}
          onCancel={() => onAsk(undefined)}
        />
      )}
      {asked === 'reject' && (
        <RejectForm
          count={selected.size}
          isBusy={run !== undefined}
          onSubmit={(body) => void start('reject', body, letters())}
          onCancel={() => onAsk(undefined)}
        />
      )}
      {asked === 'zip' && (
        <ZipForm
          ids={[...selected.keys()]}
          tooMany={selected.size > MOST_IN_ZIP ? own.tooManyForZip : undefined}
          onMade={() => {
            onAsk(undefined);
            onZip();
          }}
          onCancel={() => onAsk(undefined)}
        />
      )}
    </section>
  );
}

function Told({ report }: { readonly report: BulkReport }) {
  const own = useTexts(texts);
  const format = useFormat();
  const { action, asked, done, problems, error } = report;
  const refused = [...problems.values()].reduce((sum, count) => sum + count, 0);
  const notReached = notDone(report) - refused;
  const why = [...problems].map(([code, count]) => {
    const tell = own.problems[code] ?? ((number: string) => own.otherProblem(number, code));
    return tell(format.number(count));
  });
  if (notReached > 0) why.push(own.notReached(format.number(notReached)));
  return (
    <>
      <p>
        <strong>{own.done[action](format.number(done.length), format.number(asked))}</strong> {why.join(' ')}{' '}
        {why.length > 0 && own.stillSelected}
      </p>
      {error instanceof ApiError && <ErrorAlert error={error} />}
    </>
  );
}
