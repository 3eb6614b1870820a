import { ErrorAlert } from '../errors.js';
import { inBoth, useFormat, useTexts } from '../language.js';
import { type BulkAction, type BulkReport, notDone } from './run-bulk.js';

type Tell = (count: string, of: string) => string;

const texts = inBoth({
  da: {
    done: {
      assign: (count, of) => `${count} af ${of} breve er tildelt.`,
      'give-back': (count, of) => `Tildelingen af ${count} af ${of} breve er som før.`,
      reject: (count, of) => `${count} af ${of} breve er afvist.`,
      reopen: (count, of) => `${count} af ${of} breve er genåbnet.`,
      'tell-outcome': (count, of) => `Udfaldet af ${count} af ${of} breve er oplyst.`,
      delete: (count, of) => `${count} af ${of} breve er slettet eller venter på at blive det.`,
    } satisfies Record<BulkAction, Tell> as Record<BulkAction, Tell>,
    problems: {
      'version-changed': (count: string) => `${count}: en anden var først.`,
      'not-found': (count: string) => `${count}: brevet er der ikke længere, eller du kan ikke se det.`,
      'wrong-status': (count: string) => `${count}: det kan ikke gøres ved et brev med den status.`,
      'role-missing': (count: string) => `${count}: det har du ikke rettighed til.`,
      'legal-hold': (count: string) => `${count}: brevet er under juridisk bevaring.`,
      'wrong-deletion': (count: string) => `${count}: brevet venter allerede på at blive slettet.`,
      'second-person-needed': (count: string) => `${count}: en anden skal bekræfte sletningen.`,
      'rejection-told': (count: string) => `${count}: afsenderen har fået besked om afvisningen.`,
      'file-on-its-way': (count: string) => `${count}: en fil er på vej.`,
      'sent-on': (count: string) => `${count}: brevet er på vej til en anden myndighed.`,
    } as Record<string, (count: string) => string>,
    otherProblem: (count: string, code: string) => `${count}: ${code}.`,
    notReached: (count: string) => `${count}: ikke nået.`,
    stillSelected: 'De, der ikke lykkedes, er stadig valgt.',
    undo: 'Fortryd',
    close: 'Luk',
  },
  en: {
    done: {
      assign: (count, of) => `${count} of ${of} letters are assigned.`,
      'give-back': (count, of) => `The assignment of ${count} of ${of} letters is as it was.`,
      reject: (count, of) => `${count} of ${of} letters are rejected.`,
      reopen: (count, of) => `${count} of ${of} letters are reopened.`,
      'tell-outcome': (count, of) => `The outcome of ${count} of ${of} letters is told.`,
      delete: (count, of) => `${count} of ${of} letters are deleted or wait for it.`,
    },
    problems: {
      'version-changed': (count: string) => `${count}: somebody else was first.`,
      'not-found': (count: string) => `${count}: the letter is gone, or you may not see it.`,
      'wrong-status': (count: string) => `${count}: that cannot be done to a letter of that status.`,
      'role-missing': (count: string) => `${count}: you may not do that.`,
      'legal-hold': (count: string) => `${count}: the letter is under a legal hold.`,
      'wrong-deletion': (count: string) => `${count}: the deletion of the letter waits already.`,
      'second-person-needed': (count: string) => `${count}: another person must confirm the deletion.`,
      'rejection-told': (count: string) => `${count}: the sender has been told of the rejection.`,
      'file-on-its-way': (count: string) => `${count}: a file is on its way.`,
      'sent-on': (count: string) => `${count}: the letter is on its way to another authority.`,
    },
    otherProblem: (count: string, code: string) => `${count}: ${code}.`,
    notReached: (count: string) => `${count}: not reached.`,
    stillSelected: 'Those that did not succeed are still selected.',
    undo: 'Undo',
    close: 'Close',
  },
});

const UNDO: Partial<Record<BulkAction, BulkAction>> = { assign: 'give-back', reject: 'reopen' };

interface ReportProps {
  readonly report: BulkReport;
  readonly onUndo: (action: BulkAction) => void;
  readonly onClose: () => void;
}

/** How many were done, which were not and why; and the way back, where there is one. */
export function Report({ report, onUndo, onClose }: ReportProps) {
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
  const undo = UNDO[action];
  return (
    <div class={notDone(report) === 0 ? 'alert alert-success' : 'alert alert-warning'}>
      <p role="status">
        <strong>{own.done[action](format.number(done.length), format.number(asked))}</strong> {why.join(' ')}{' '}
        {why.length > 0 && own.stillSelected}
      </p>
      <ErrorAlert error={error} />
      <p class="buttons">
        {undo && done.length > 0 && (
          <button type="button" class="button button-secondary" onClick={() => onUndo(undo)}>
            {own.undo}
          </button>
        )}
        <button type="button" class="button button-secondary" onClick={onClose}>
          {own.close}
        </button>
      </p>
    </div>
  );
}
