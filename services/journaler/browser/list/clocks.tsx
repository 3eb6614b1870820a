import type { DocumentSummary } from '@indbakke/shared/api';
import { inBoth, type Language, useFormat, useLanguage, useTexts } from '../language.js';

const texts = inBoth({
  da: {
    reply: 'Svar senest',
    assess: 'Vurderes senest',
    confirm: 'Bekræftes senest',
    assessed: 'Vurderet',
    confirmed: 'Bekræftet',
    overdue: 'Overskredet',
  },
  en: {
    reply: 'Reply by',
    assess: 'Assess by',
    confirm: 'Confirm by',
    assessed: 'Assessed',
    confirmed: 'Confirmed',
    overdue: 'Overdue',
  },
});

const HOUR = 3_600_000;
const RELATIVE = {
  da: new Intl.RelativeTimeFormat('da', { numeric: 'auto' }),
  en: new Intl.RelativeTimeFormat('en', { numeric: 'auto' }),
};

/** `om 3 timer`, `for 2 dage siden` */
export function distance(at: string, now: number, language: Language): string {
  const hours = (Date.parse(at) - now) / HOUR;
  if (Math.abs(hours) < 1) return RELATIVE[language].format(Math.trunc(hours * 60), 'minute');
  if (Math.abs(hours) < 48) return RELATIVE[language].format(Math.trunc(hours), 'hour');
  return RELATIVE[language].format(Math.trunc(hours / 24), 'day');
}

interface ClockProps {
  readonly title: string;
  readonly by: string;
  readonly now: number;
}

function Clock({ title, by, now }: ClockProps) {
  const own = useTexts(texts);
  const language = useLanguage();
  const format = useFormat();
  const isOver = Date.parse(by) < now;
  return (
    <p class={isOver ? 'clock clock-over' : 'clock'}>
      {isOver && (
        <strong>
          <span aria-hidden="true">⚠ </span>
          {own.overdue}:{' '}
        </strong>
      )}
      {title} {format.time(by)} <span class="quiet">({distance(by, now, language)})</span>
    </p>
  );
}

/** The clocks of a possible report of concern that run, in words. */
export function ConcernClocks({
  letter: { concern },
  now,
}: {
  readonly letter: DocumentSummary;
  readonly now: number;
}) {
  const own = useTexts(texts);
  const format = useFormat();
  if (!concern) return null;
  const met = (title: string, at: string) => (
    <p class="clock quiet">
      {title} {format.time(at)}
    </p>
  );
  return (
    <>
      {concern.assessedAt ? (
        met(own.assessed, concern.assessedAt)
      ) : (
        <Clock title={own.assess} by={concern.assessBy} now={now} />
      )}
      {concern.confirmedAt ? (
        met(own.confirmed, concern.confirmedAt)
      ) : (
        <Clock title={own.confirm} by={concern.confirmBy} now={now} />
      )}
    </>
  );
}

/** By when the sender wants an answer. */
export function ReplyClock({ letter, now }: { readonly letter: DocumentSummary; readonly now: number }) {
  const own = useTexts(texts);
  const format = useFormat();
  const { replyBy, status, late } = letter;
  if (!replyBy) return null;
  const runs = (status === 'pending' || status === 'held') && !late;
  return runs ? <Clock title={own.reply} by={replyBy} now={now} /> : <p>{format.day(replyBy)}</p>;
}
