import { danishTime } from '@indbakke/shared/danish-time';

export type Language = 'da' | 'en';

/** The same texts in both languages; the compiler holds their keys equal. */
export type InBoth<Texts extends object> = Readonly<Record<Language, Texts>>;

/** Texts of a section or page: `inBoth({ da: { title: 'Køer' }, en: { title: 'Queues' } })`. */
export function inBoth<Texts extends object>(texts: {
  readonly da: Texts;
  readonly en: NoInfer<Texts>;
}): InBoth<Texts> {
  return texts;
}

/** Numbers and times as the language writes them; times by Danish clocks. */
export interface Format {
  number(value: number): string;
  bytes(value: number): string;
  /** `27.11.2026 10:31` */
  time(at: Date): string;
  /** How long, in its largest two units: `3 d 4 h`. */
  duration(seconds: number): string;
}

const UNITS: readonly [string, number][] = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
];

const LOCALES = { da: 'da-DK', en: 'en-GB' } as const;

export function formatIn(language: Language): Format {
  const locale = LOCALES[language];
  const numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const hour = language === 'da' ? 't' : 'h';
  return {
    number: (value) => numbers.format(value),
    bytes(value) {
      const power = Math.min(4, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
      return `${numbers.format(value / 1_000 ** power)} ${['B', 'kB', 'MB', 'GB', 'TB'][power]}`;
    },
    time: (at) => {
      const [day = '', time = ''] = danishTime(at).split(' ');
      return language === 'da'
        ? `${day.split('-').reverse().join('.')} ${time.slice(0, 5)}`
        : `${day} ${time.slice(0, 5)}`;
    },
    duration(seconds) {
      const whole = Math.max(0, Math.round(seconds));
      const first = UNITS.findIndex(([, size]) => whole >= size);
      if (first === -1) return '0 s';
      const named = UNITS.slice(first, first + 2).map(([unit, size], at) => {
        const left = at === 0 ? whole : whole % (UNITS[first] as [string, number])[1];
        return [Math.floor(left / size), unit === 'h' ? hour : unit] as const;
      });
      return named
        .filter(([count], at) => at === 0 || count > 0)
        .map(([count, unit]) => `${count} ${unit}`)
        .join(' ');
    },
  };
}
