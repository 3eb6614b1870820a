import { useState } from 'preact/hooks';
import { ErrorAlert } from '../errors.js';
import { Title } from '../frame.js';
import { inBoth, useTexts } from '../language.js';
import { Link } from '../router.js';
import { hasRole } from '../session.js';
import { ActionBar } from './action-bar.js';
import { ActionDialog } from './action-dialog.js';
import { SuggestedCase } from './case.js';
import { AT_ONCE, type Change, type Step } from './changes.js';
import { Content } from './content.js';
import { DistributionFacts } from './distribution.js';
import { Facts } from './facts.js';
import { Files } from './files.js';
import { History, Remarks } from './history.js';
import { Meanwhile } from './meanwhile.js';
import { Notice } from './notice.js';
import { Readers } from './readers.js';
import { AwaitScan, isHeld } from './scan.js';
import { Marks, Standing } from './standing.js';
import { useLetter } from './use-letter.js';
import { Zip } from './zip.js';

const texts = inBoth({
  da: { back: 'Tilbage til listen', reading: 'Henter brevet …', noSubject: '(uden emne)' },
  en: { back: 'Back to the list', reading: 'Loading the letter …', noSubject: '(no subject)' },
});

/** One letter: what it says, what is known of it, and what can be done with it. */
export function LetterPage({ id }: { readonly id: string }) {
  const own = useTexts(texts);
  const { letter, error, isBusy, done, failure, act, forgetFailure, again } = useLetter(id);
  const [open, setOpen] = useState<Change>();
  const choose = (change: Change) => {
    forgetFailure();
    if (AT_ONCE.has(change)) void act({ change });
    else setOpen(change);
  };
  const close = () => {
    forgetFailure();
    setOpen(undefined);
  };
  const submit = async (step: Step) => {
    if (await act(step)) setOpen(undefined);
  };
  return (
    <div class="letter">
      <p class="back">
        <Link to="/">{own.back}</Link>
      </p>
      <ErrorAlert error={error} />
      {!letter && !error && !done && <p aria-busy="true">{own.reading}</p>}
      {letter && (
        <>
          <Title>{letter.subject || own.noSubject}</Title>
          <Marks letter={letter} />
        </>
      )}
      <Notice done={done} isCovered={open !== undefined} onUndo={(step) => void act(step, true)} />
      {failure && !open && (
        <>
          <ErrorAlert error={failure.error} />
          <Meanwhile failure={failure} />
        </>
      )}
      {letter && (
        <>
          {isHeld(letter) && <AwaitScan id={id} onScanned={again} />}
          <ActionBar letter={letter} onChoose={choose} />
          <Standing letter={letter} />
          <div class="columns">
            <div>
              <Content letter={letter} />
              <Files letter={letter} />
            </div>
            <div>
              <SuggestedCase letter={letter} />
              <Facts letter={letter} />
              <DistributionFacts letter={letter} />
              <Zip letter={letter} />
              <Remarks letter={letter} />
              <History letter={letter} />
              {hasRole('Revisionslog.Læs') && <Readers letterId={letter.id} />}
            </div>
          </div>
        </>
      )}
      {letter && open && (
        <ActionDialog
          key={open}
          change={open}
          letter={letter}
          failure={failure}
          isBusy={isBusy}
          onSubmit={(body) => void submit({ change: open, body })}
          onCancel={close}
        />
      )}
    </div>
  );
}
