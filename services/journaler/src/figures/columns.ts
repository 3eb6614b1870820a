import type { FiguresAnswer } from '@indbakke/shared/api';
import type { Column } from '@indbakke/shared/excel';

// The figures as a table: a row for each day and contact point, and one for each day.

type Figures = FiguresAnswer['total'];

export interface FiguresRow extends Figures {
  readonly day: string;
  readonly point: string;
}

export function rowsOf({ days }: FiguresAnswer): FiguresRow[] {
  return days.flatMap(({ day, total, contactPoints }) => [
    { day, point: 'I alt', ...total },
    ...contactPoints.map(({ contactPoint, ...figures }) => ({
      day,
      point: contactPoint ? (contactPoint.name ?? contactPoint.id) : 'Uden kontaktpunkt',
      ...figures,
    })),
  ]);
}

const number = (heading: string, of: (row: FiguresRow) => number | null): Column<FiguresRow> => ({
  heading,
  width: 16,
  format: 'number',
  of,
});

export const COLUMNS: readonly Column<FiguresRow>[] = [
  { heading: 'Dag', width: 12, format: 'day', of: ({ day }) => day },
  { heading: 'Kontaktpunkt', width: 28, format: 'text', of: ({ point }) => point },
  number('Modtaget', ({ received }) => received),
  number('Behandlet', ({ handled }) => handled),
  number('Venter ved dagens slutning', ({ waiting }) => waiting),
  number('Timer til første visning, halvdelen', ({ hoursToFirstLook }) => hoursToFirstLook.p50),
  number('Timer til første visning, 90 %', ({ hoursToFirstLook }) => hoursToFirstLook.p90),
  number('Timer til behandling, halvdelen', ({ hoursToHandling }) => hoursToHandling.p50),
  number('Timer til behandling, 90 %', ({ hoursToHandling }) => hoursToHandling.p90),
];
