import type { Html } from '@indbakke/shared/html';
import type { Parts, States } from '@indbakke/shared/service';
import type { OperationsConfig } from '../config.js';
import type { Format, InBoth, Language } from '../pages/language.js';
import type { Scrubbing } from '../scrubbing.js';
import type { Silent } from './silence.js';

/** What sections and pages read from. */
export interface OperationsParts extends Parts {
  readonly config: OperationsConfig;
  readonly scrubbing: Scrubbing;
  /** Who is silent; some minutes old. */
  silence(): Promise<readonly Silent[]>;
  /** The state of each part, as /readyz tells. */
  askParts(): Promise<States>;
}

/** Of a section on the page. */
export interface View {
  readonly title: string;
  /** Why somebody should act, in a few words; undefined when nobody has to. */
  readonly concern: string | undefined;
  readonly body: Html;
}

/** A section of the operations page, whatever its data. */
export interface Section {
  /** Of its anchor. A page of the same name (pages/pages.ts) is what it leads to. */
  readonly name: string;
  readonly texts: InBoth<{ readonly title: string }>;
  show(parts: OperationsParts, now: Date, language: Language, format: Format): Promise<View>;
}

interface Definition<Data, Texts extends { readonly title: string }> {
  readonly name: string;
  readonly texts: InBoth<Texts>;
  /** One or few statements of the role indbakke_worker (`store.sweep`). Ids, codes, counts and times only. */
  read(parts: OperationsParts, now: Date): Promise<Data>;
  view(data: Data, texts: Texts, format: Format): View;
}

export function defineSection<Data, Texts extends { readonly title: string }>({
  read,
  view,
  ...rest
}: Definition<Data, Texts>): Section {
  return {
    ...rest,
    show: async (parts, now, language, format) => view(await read(parts, now), rest.texts[language], format),
  };
}
