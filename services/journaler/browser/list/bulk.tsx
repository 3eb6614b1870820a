import { useRef, useState } from 'preact/hooks';
import { AssignForm } from '../actions/assign-form.js';
import { DeleteForm } from '../actions/delete-form.js';
import { OutcomeForm } from '../actions/outcome-form.js';
import { RejectForm } from '../actions/reject-form.js';
import { ErrorAlert } from '../errors.js';
import { inBoth, useFormat, useTexts } from '../language.js';
import { hasRole } from '../session.js';
import { Report } from './bulk-report.js';
import { type Filter, readIds, type Seen, type Status } from './query.js';
import { type BulkAction, type BulkReport, runBulk } from './run-bulk.js';
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
    ask: { assign: 'Tildel …', reject: 'Afvis …', outcome: 'Oplys udfald …', delete: 'Slet for altid …' },
    reopen: 'Genåbn',
    zip: 'Hent som zip …',
    working: {
      assign: 'Tildeler',
      'give-back': 'Fortryder tildeling',
      reject: 'Afviser',
      reopen: 'Genåbner',
      'tell-outcome': 'Oplyser udfald',
      delete: 'Sletter',
    } satisfies Record<BulkAction, string>,
    progress: (done: string, of: string) => `${done} af ${of}`,
    stop: 'Stop',
  },
  en: {
    title: 'Selected letters',
    selected: (count: string) => `${count} selected`,
    selectAll: (count: string) => `Select all ${count} that match`,
    selectAllUncounted: 'Select all that match',
    selecting: 'Selecting …',
    clear: 'Deselect all',
    ask: { assign: 'Assign …', reject: 'Reject …', outcome: 'Tell outcome …', delete: 'Delete for good …' },
    reopen: 'Reopen',
    zip: 'Get as a zip …',
    working: {
      assign: 'Assigning',
      'give-back': 'Undoing the assignment',
      reject: 'Rejecting',
      reopen: 'Reopening',
      'tell-outcome': 'Telling the outcome',
      delete: 'Deleting',
    },
    progress: (done: string, of: string) => `${done} of ${of}`,
    stop: 'Stop',
  },
});

/** What has a form of its own, for whom, and for letters of which statuses. */
const WAITING: readonly Status[] = ['pending', 'held'];
const FORMS = {
  assign: { role: 'IndkomneDokumenter.Tildel', from: WAITING },
  reject: { role: 'IndkomneDokumenter.Afvis', from: WAITING },
  outcome: { role: 'IndkomneDokumenter.Afvis', from: ['rejected'] },
  delete: { role: 'DigitalPost.Slet', from: ['rejected'] },
} as const satisfies Record<string, { readonly role: string; readonly from: readonly Status[] }>;

export type Asked = keyof typeof FORMS | 'zip';

/** Whether something can be done with letters of a filter. */
export function isPossible(asked: keyof typeof FORMS, filter: Filter): boolean {
  const { role, from } = FORMS[asked];
  return hasRole(role) && filter.status.some((status) => (from as readonly Status[]).includes(status));
}

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
  const section = useRef<HTMLElement>(null);

  const start = async (action: BulkAction, body: object, letters: readonly Seen[]) => {
    onAsk(undefined);
    setReport(undefined);
    setRun({ action, answered: 0, of: letters.length });
    section.current?.focus({ preventScroll: true });
    stop.current = new AbortController();
    const onProgress = (answered: number) => setRun({ action, answered, of: letters.length });
    const result = await runBulk(action, body, letters, onProgress, stop.current.signal);
    setRun(undefined);
    change.remove(result.done);
    setReport(result);
    onDone();
    section.current?.focus({ preventScroll: true });
    // Who tries again does so on what the letters are now, having been told.
    if (result.problems.has('version-changed')) await readIds(filter).then(change.renew, () => undefined);
  };
  const selectAll = async () => {
    setSelecting(true);
    setError(undefined);
    await readIds(filter).then(change.add, setError);
    setSelecting(false);
  };
  const letters = () => [...selected.values()];
  const button = (title: string, onClick: () => void) => (
    <button type="button" class="button button-secondary" onClick={onClick}>
      {title}
    </button>
  );
  const opener = (form: keyof typeof FORMS) => isPossible(form, filter) && button(own.ask[form], () => onAsk(form));
  const formOf = (action: BulkAction) => ({
    count: selected.size,
    isBusy: run !== undefined,
    onSubmit: (body: object) => void start(action, body, letters()),
    onCancel: () => onAsk(undefined),
  });
  const all = matching === undefined ? own.selectAllUncounted : own.selectAll(matching);

  return (
    <section class="bulk" aria-label={own.title} ref={section} tabIndex={-1}>
      {selected.size > 0 && (
        <div class="bulk-bar">
          <strong>{own.selected(format.number(selected.size))}</strong>
          {opener('assign')}
          {opener('reject')}
          {opener('outcome')}
          {isPossible('outcome', filter) && button(own.reopen, () => void start('reopen', {}, letters()))}
          {opener('delete')}
          {button(own.zip, () => onAsk('zip'))}
          {button(isSelecting ? own.selecting : all, () => void selectAll())}
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
        <Report
          report={report}
          onUndo={(action) => void start(action, {}, report.done)}
          onClose={() => setReport(undefined)}
        />
      )}
      {asked === 'assign' && <AssignForm {...formOf('assign')} />}
      {asked === 'reject' && <RejectForm {...formOf('reject')} />}
      {asked === 'outcome' && <OutcomeForm {...formOf('tell-outcome')} />}
      {asked === 'delete' && <DeleteForm {...formOf('delete')} />}
      {asked === 'zip' && (
        <ZipForm
          ids={[...selected.keys()]}
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
