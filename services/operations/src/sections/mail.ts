import { currentTime } from '@indbakke/shared/clock';
import { MINUTE } from '@indbakke/shared/config';
import { html } from '@indbakke/shared/html';
import { STATUSES } from '@indbakke/shared/lifecycle';
import { type Figure, type Parts, RECEIPTS } from '@indbakke/shared/service';
import { chart } from '../html/chart.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

/** By each, since indexes begin with municipality and status. */
export const STATUSES_OF_MESSAGES: readonly string[] = Object.keys(STATUSES);

/** How long something took in a minute, in seconds. */
export interface Times {
  readonly mean: number;
  readonly longest: number;
}

export interface MailMinute {
  readonly at: Date;
  /** Receipts and refusals, by outcome or code. */
  readonly answers: Readonly<Record<string, number>>;
  /** From the first byte of a delivery to its receipt; undefined when there was none. */
  readonly receipt: Times | undefined;
  /** From when a message came into the inbox to its first suggestion run. */
  readonly suggestion: Times | undefined;
}

interface Row {
  readonly minute: Date;
  readonly figure: Figure;
  readonly label: string;
  readonly count: number;
  readonly seconds: number;
  readonly longest: number;
}

/** Mail by the minute, from the oldest to the present one; minutes in which nothing came too. Nothing of training municipalities. */
export async function readMail({ store }: Pick<Parts, 'store'>, minutes: number): Promise<MailMinute[]> {
  const rows = await store.sweep<Row>(
    `SELECT minute, figure, label, count, seconds, longest FROM minute_figures
     WHERE minute > date_trunc('minute', now()) - make_interval(mins => $1) ORDER BY minute`,
    [minutes],
  );
  const now = Math.floor(currentTime().getTime() / MINUTE);
  return Array.from({ length: minutes }, (_, n) => {
    const at = new Date((now - minutes + 1 + n) * MINUTE);
    const ofMinute = rows.filter(({ minute }) => minute.getTime() === at.getTime());
    const receipts = ofMinute.filter(({ figure }) => figure === 'receipt');
    return {
      at,
      answers: Object.fromEntries(receipts.map(({ label, count }) => [label, count])),
      receipt: timesOf(receipts.filter(({ label }) => RECEIPTS.includes(label))),
      suggestion: timesOf(ofMinute.filter(({ figure }) => figure === 'suggestion')),
    };
  });
}

function timesOf(rows: readonly Row[]): Times | undefined {
  const count = rows.reduce((sum, row) => sum + row.count, 0);
  if (count === 0) return undefined;
  const seconds = rows.reduce((sum, row) => sum + row.seconds, 0);
  return { mean: seconds / count, longest: Math.max(...rows.map(({ longest }) => longest)) };
}

/** When the last delivery got a receipt, or when the last message was stored if that is later; undefined when none ever did. */
export async function readLastReceipt({ store }: Pick<Parts, 'store'>): Promise<Date | undefined> {
  const [row] = await store.sweep<{ at: Date | null }>(
    `SELECT greatest(
       (SELECT max(minute) FROM minute_figures WHERE figure = 'receipt' AND label = ANY ($1)),
       (SELECT max(last.received_at) FROM municipalities CROSS JOIN unnest($2::text[]) AS stored (status) CROSS JOIN LATERAL (
          SELECT received_at FROM messages m WHERE m.municipality = cvr AND m.status = stored.status
          ORDER BY received_at DESC LIMIT 1) AS last
        WHERE NOT is_training)) AS at`,
    [RECEIPTS, STATUSES_OF_MESSAGES],
  );
  return row?.at ?? undefined;
}

const KEEP_DAYS = 35;

export async function sweepOldMinutes({ store }: Pick<Parts, 'store'>): Promise<void> {
  await store.sweep('DELETE FROM minute_figures WHERE minute < now() - make_interval(days => $1)', [KEEP_DAYS]);
}

const SHOWN_MINUTES = 60;

/** Nothing for so long is worth a look; as in infra/deploy/prometheus/rules.yaml. */
const LONG_AGO_SECONDS = 3 * 86_400;

/** Mail in by the minute, by what was answered, and how long receipt and suggestion took. */
export const MAIL = defineSection({
  name: 'mail',
  texts: inBoth({
    da: {
      title: 'Post pr. minut',
      answers: 'Leverancer pr. minut, efter svar',
      times: 'Gennemsnitlig tid pr. minut, i sekunder',
      receipt: 'Til kvittering',
      suggestion: 'Til forslag',
      figures: 'Tallene som tabel',
      when: 'Minut',
      concern: (time: string) => `Intet er kvitteret i ${time}`,
    },
    en: {
      title: 'Mail by the minute',
      answers: 'Deliveries a minute, by answer',
      times: 'Mean time by the minute, in seconds',
      receipt: 'To the receipt',
      suggestion: 'To the suggestion',
      figures: 'The figures as a table',
      when: 'Minute',
      concern: (time: string) => `Nothing has got a receipt for ${time}`,
    },
  }),
  async read(parts, now) {
    const lastReceipt = await readLastReceipt(parts);
    return {
      minutes: await readMail(parts, SHOWN_MINUTES),
      lastReceiptSeconds: lastReceipt && (now.getTime() - lastReceipt.getTime()) / 1_000,
    };
  },
  view({ minutes, lastReceiptSeconds = 0 }, texts, format) {
    const times = minutes.map(({ at }) => at);
    const answers = [...new Set(['accepted', ...minutes.flatMap((minute) => Object.keys(minute.answers))])];
    const byAnswer = answers.map((label) => ({
      label,
      values: minutes.map((minute) => minute.answers[label] ?? 0),
    }));
    const seconds = (['receipt', 'suggestion'] as const).map((figure) => ({
      label: texts[figure],
      values: minutes.map((minute) => minute[figure]?.mean ?? null),
    }));
    return {
      title: texts.title,
      concern: lastReceiptSeconds > LONG_AGO_SECONDS ? texts.concern(format.duration(lastReceiptSeconds)) : undefined,
      body: html`<div class="charts">${chart({ id: 'mail-answers', title: texts.answers, times, series: byAnswer }, texts, format)}
${chart({ id: 'mail-times', title: texts.times, times, series: seconds }, texts, format)}</div>`,
    };
  },
});
