import { deedOf, doerOf, type LogRow, letterOf } from '@indbakke/shared/audit-log';
import type { Column } from '@indbakke/shared/excel';

const text = (heading: string, width: number, of: (row: LogRow) => string | null): Column<LogRow> => ({
  heading,
  width,
  format: 'text',
  of,
});
const time = (heading: string, of: (row: LogRow) => Date | null): Column<LogRow> => ({
  heading,
  width: 17,
  format: 'time',
  of,
});

/** For who looks into the log. */
export const LOG_COLUMNS: readonly Column<LogRow>[] = [
  time('Tidspunkt', ({ at }) => at),
  text('Bruger eller system', 28, ({ actor }) => actor.id),
  text('På vegne af', 28, ({ actor }) => actor.onBehalfOf),
  text('Rolle', 30, ({ role }) => role),
  text('Fra adresse', 18, ({ origin }) => origin),
  text('Handling', 44, deedOf),
  text('Handlingskode', 20, ({ action }) => action),
  text('Resultat', 16, ({ result }) => result),
  text('Brev', 38, ({ messageId }) => messageId),
  time('Brev modtaget', ({ receivedAt }) => receivedAt),
  time('Brevdato', ({ letterAt }) => letterAt),
  text('Oplysninger', 60, ({ details }) => JSON.stringify(details)),
  { heading: 'Nummer i kæden', width: 12, format: 'number', of: ({ position }) => position },
  text('Id', 38, ({ id }) => id),
];

/** For the citizen. */
export const SHEET_COLUMNS: readonly Column<LogRow>[] = [
  time('Hvornår', ({ at }) => at),
  text('Hvem', 44, doerOf),
  text('Hvad', 48, deedOf),
  text('Hvilket brev', 70, letterOf),
];
