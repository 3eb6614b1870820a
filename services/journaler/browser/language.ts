import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

export type Language = 'da' | 'en';

/** The same texts in both languages; the compiler holds their keys equal. */
export type InBoth<Texts extends object> = Readonly<Record<Language, Texts>>;

/** `inBoth({ da: { title: 'Indkomne dokumenter' }, en: { title: 'Incoming documents' } })` */
export const inBoth = <Texts extends object>(texts: {
  readonly da: Texts;
  readonly en: NoInfer<Texts>;
}): InBoth<Texts> => texts;

export const LanguageContext = createContext<Language>('da');

export const useLanguage = (): Language => useContext(LanguageContext);
export const useTexts = <Texts extends object>(texts: InBoth<Texts>): Texts => texts[useLanguage()];

const LOCALES = { da: 'da-DK', en: 'en-GB' } as const;
const ZONE = 'Europe/Copenhagen';

/** Numbers and times as the language writes them; times by Danish clocks. */
export interface Format {
  number(value: number): string;
  /** `27.11.2026` */
  day(at: string): string;
  /** `27.11.2026 10:31` */
  time(at: string): string;
  /** `1,2 MB` */
  size(bytes: number): string;
}

function formatIn(language: Language): Format {
  const locale = LOCALES[language];
  const numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const days = new Intl.DateTimeFormat(locale, { timeZone: ZONE, day: '2-digit', month: '2-digit', year: 'numeric' });
  const clocks = new Intl.DateTimeFormat('en-GB', { timeZone: ZONE, hour: '2-digit', minute: '2-digit' });
  return {
    number: (value) => numbers.format(value),
    day: (at) => days.format(new Date(at)),
    time: (at) => `${days.format(new Date(at))} ${clocks.format(new Date(at))}`,
    size(bytes) {
      const power = Math.min(3, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
      return `${numbers.format(bytes / 1_000 ** power)} ${['B', 'kB', 'MB', 'GB'][power]}`;
    },
  };
}

const FORMATS = { da: formatIn('da'), en: formatIn('en') };
export const useFormat = (): Format => FORMATS[useLanguage()];
