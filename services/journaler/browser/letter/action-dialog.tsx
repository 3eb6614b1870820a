import type { DocumentAnswer } from '@indbakke/shared/api';
import { AssignForm } from '../actions/assign-form.js';
import { DeleteForm } from '../actions/delete-form.js';
import { ActionForm } from '../actions/form.js';
import { JournalizeForm } from '../actions/journalize-form.js';
import { LegalHoldForm } from '../actions/legal-hold-form.js';
import { OutcomeForm } from '../actions/outcome-form.js';
import { RejectForm } from '../actions/reject-form.js';
import { SendOnForm } from '../actions/send-on-form.js';
import { TakeBackForm } from '../actions/take-back-form.js';
import { inBoth, useTexts } from '../language.js';
import { CHANGE_TEXTS } from './change-texts.js';
import type { Change } from './changes.js';
import { Meanwhile } from './meanwhile.js';
import type { Failure } from './use-letter.js';

const texts = inBoth({
  da: {
    questions: {
      'deletion-confirmed': 'Brevet slettes for altid, straks eller når kommunens frist er gået.',
      released: 'Brevet kommer i indbakken. Er det et brev med samme id som et andet, så se først på begge.',
      'concern-confirmed': 'Har kommunen bekræftet modtagelsen over for den, der har underrettet?',
      'handover-offered':
        'Sagen er flyttet. Den nye kommune ser ikke brevet, før den tager imod; så bliver brevet afvist her.',
    } as Partial<Record<Change, string>>,
  },
  en: {
    questions: {
      'deletion-confirmed': 'The letter is deleted for good, at once or when the municipality’s time is over.',
      released: 'The letter comes into the inbox. If it has the same id as another, look at both first.',
      'concern-confirmed': 'Has the municipality confirmed the receipt to the notifier?',
      'handover-offered':
        'The case has moved. The new municipality does not see the letter until it takes it; then it is rejected here.',
    },
  },
});

interface ActionDialogProps {
  readonly change: Change;
  readonly letter: DocumentAnswer;
  readonly failure: Failure | undefined;
  readonly isBusy: boolean;
  readonly onSubmit: (body?: unknown) => void;
  readonly onCancel: () => void;
}

/** Whether the sender of a document has been told this, or may have been. */
function mayKnow({ distribution }: DocumentAnswer, told: string): boolean {
  return (
    distribution?.receipts.some(({ code, status }) => code === told && (status === 'sending' || status === 'sent')) ??
    false
  );
}

/** The form of a change, or a question before it. */
export function ActionDialog({ change, letter, failure, isBusy, onSubmit, onCancel }: ActionDialogProps) {
  const own = useTexts(texts);
  const { name } = useTexts(CHANGE_TEXTS);
  const shared = { count: 1, error: failure?.error, isBusy, onSubmit, onCancel };
  const notice = failure && <Meanwhile failure={failure} />;
  switch (change) {
    case 'journalized':
      return (
        <JournalizeForm {...shared} suggestedCase={letter.suggestion?.caseId}>
          {notice}
        </JournalizeForm>
      );
    case 'assigned':
      return <AssignForm {...shared}>{notice}</AssignForm>;
    case 'rejected':
      return (
        <RejectForm {...shared} channel={letter.channel}>
          {notice}
        </RejectForm>
      );
    case 'outcome-told':
      return <OutcomeForm {...shared}>{notice}</OutcomeForm>;
    case 'distribution-asked':
      return <SendOnForm {...shared}>{notice}</SendOnForm>;
    case 'taken-back':
      return (
        <TakeBackForm {...shared} isTold={mayKnow(letter, 'ACCEPTERET')}>
          {notice}
        </TakeBackForm>
      );
    case 'deleted':
      return <DeleteForm {...shared}>{notice}</DeleteForm>;
    case 'legal-hold-set':
    case 'legal-hold-lifted':
      return (
        <LegalHoldForm {...shared} isLifted={change === 'legal-hold-lifted'}>
          {notice}
        </LegalHoldForm>
      );
    default:
      return (
        <ActionForm
          {...shared}
          title={name[change]}
          submit={name[change]}
          notice={notice}
          // The one call of these that takes a body takes an empty one.
          onSubmit={() => onSubmit(change === 'handover-offered' ? {} : undefined)}
        >
          <p>{own.questions[change]}</p>
        </ActionForm>
      );
  }
}
