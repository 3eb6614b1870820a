import type { DocumentAnswer } from '@indbakke/shared/api';
import { nameOfSender } from '@indbakke/shared/danish-words';
import type { ComponentChildren } from 'preact';
import { Foreign } from '../foreign.js';
import { inBoth, useFormat, useLanguage, useTexts } from '../language.js';
import { distance } from '../list/clocks.js';
import { WORDS } from '../words.js';
import { Clock } from './clock.js';

const texts = inBoth({
  da: {
    title: 'Om brevet',
    from: 'Afsender',
    onBehalf: 'På vegne af afsenderen',
    about: 'Vedrører',
    contactPoint: 'Kontaktpunkt',
    none: 'Intet',
    unknown: 'ukendt navn',
    received: 'Modtaget',
    dated: 'Dateret',
    kind: 'Type',
    channel: 'Kanal',
    assignee: 'Tildelt',
    nobody: 'Ingen',
    team: 'teamet',
    replyBy: 'Svar ønskes senest',
    answered: 'Besvaret',
    assessBy: 'Vurderes senest',
    assessed: 'Vurderet',
    confirmBy: 'Bekræftes senest over for underretteren',
    confirmed: 'Bekræftet over for underretteren',
    journalized: 'Journaliseret',
    onCase: (caseId: string, by: string, at: string) => `Sag ${caseId}, af ${by}, ${at}`,
    contactInfo: 'Oplysninger fra afsenderen',
  },
  en: {
    title: 'About the letter',
    from: 'Sender',
    onBehalf: 'On behalf of the sender',
    about: 'Concerns',
    contactPoint: 'Contact point',
    none: 'None',
    unknown: 'name unknown',
    received: 'Received',
    dated: 'Dated',
    kind: 'Kind',
    channel: 'Channel',
    assignee: 'Assigned to',
    nobody: 'Nobody',
    team: 'the team',
    replyBy: 'Reply wanted by',
    answered: 'Answered',
    assessBy: 'To be assessed by',
    assessed: 'Assessed',
    confirmBy: 'To be confirmed to the notifier by',
    confirmed: 'Confirmed to the notifier',
    journalized: 'Journalized',
    onCase: (caseId: string, by: string, at: string) => `Case ${caseId}, by ${by}, ${at}`,
    contactInfo: 'Details from the sender',
  },
});

/** Who sent it, about whom, when, and whose it is. */
export function Facts({ letter }: { readonly letter: DocumentAnswer }) {
  const own = useTexts(texts);
  const words = useTexts(WORDS);
  const language = useLanguage();
  const format = useFormat();
  const { sender, concerning, contactPoint, assignee, concern, answer } = letter;
  return (
    <section aria-labelledby="facts">
      <h2 id="facts">{own.title}</h2>
      <dl>
        <Fact name={own.from}>
          <Foreign>{nameOfSender(sender)}</Foreign>{' '}
          {sender.name !== '' && <Quiet>{`${sender.idType} ${sender.id}`}</Quiet>}
        </Fact>
        {sender.representative && (
          <Fact name={own.onBehalf}>
            <Foreign>{sender.representative.name ?? own.unknown}</Foreign> <Quiet>{sender.representative.id}</Quiet>
          </Fact>
        )}
        {concerning && (
          <Fact name={own.about}>
            <Foreign>{concerning.name ?? own.unknown}</Foreign> <Quiet>{concerning.id}</Quiet>
          </Fact>
        )}
        <Fact name={own.contactPoint}>{contactPoint ? (contactPoint.name ?? contactPoint.id) : own.none}</Fact>
        <Fact name={own.received}>
          {format.time(letter.receivedAt)} <Quiet>{distance(letter.receivedAt, Date.now(), language)}</Quiet>
        </Fact>
        <Fact name={own.dated}>{format.day(letter.letterAt)}</Fact>
        <Fact name={own.kind}>
          {words.kind[letter.kind]} <Quiet>{words.channel[letter.channel]}</Quiet>
        </Fact>
        <Fact name={own.assignee}>
          {assignee ? `${assignee.kind === 'team' ? `${own.team} ` : ''}${assignee.id}` : own.nobody}
        </Fact>
        {letter.journalizations.map(({ caseId, by, at }) => (
          <Fact key={caseId} name={own.journalized}>
            {own.onCase(caseId, by, format.time(at))}
          </Fact>
        ))}
        {answer && <Fact name={own.answered}>{format.time(answer.at)}</Fact>}
        {letter.replyBy && !answer && (
          <Fact name={own.replyBy}>
            <Clock at={letter.replyBy} isOver={letter.replyOverdue} />
          </Fact>
        )}
        {concern && (
          <Fact name={concern.assessedAt ? own.assessed : own.assessBy}>
            <Clock at={concern.assessedAt ?? concern.assessBy} isOver={isOver(concern.assessedAt, concern.assessBy)} />
          </Fact>
        )}
        {concern && (
          <Fact name={concern.confirmedAt ? own.confirmed : own.confirmBy}>
            <Clock
              at={concern.confirmedAt ?? concern.confirmBy}
              isOver={isOver(concern.confirmedAt, concern.confirmBy)}
            />
          </Fact>
        )}
      </dl>
      {letter.contactInfo.length > 0 && (
        <>
          <h3>{own.contactInfo}</h3>
          <dl>
            {letter.contactInfo.map(({ label, value }, index) => (
              <Fact key={index} name={label}>
                <Foreign>{value}</Foreign>
              </Fact>
            ))}
          </dl>
        </>
      )}
    </section>
  );
}

const isOver = (metAt: string | null, by: string) => metAt === null && Date.parse(by) < Date.now();

export function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export const Quiet = ({ children }: { readonly children: ComponentChildren }) => <span class="quiet">{children}</span>;
