import { useRef, useState } from 'preact/hooks';
import { ApiError, call } from '../api.js';
import { ErrorAlert } from '../errors.js';
import { Title } from '../frame.js';
import { inBoth, useFormat, useLanguage, useTexts } from '../language.js';
import { Link } from '../router.js';
import { type Entry, type EntryKind, type EntryTexts, pathOf } from './entries.js';
import { type Fault, faultInWords, faultsOf } from './faults.js';
import { type Import, importTable, type Table, tableOf, undoImport } from './import-table.js';
import { LABELS } from './labels.js';

const texts = inBoth({
  da: {
    intro:
      'Vælg en fil med en række for hver, højst 2.000. Filen kontrolleres først; intet ændres, før du siger til. Det, der ikke står i filen, bliver, som det er.',
    file: 'Fil (.csv i UTF-8, eller .xlsx)',
    columns: 'Hvilke kolonner kan filen have?',
    columnsHint: 'Den første række har overskrifterne. Tomme celler er ikke angivet.',
    check: 'Kontrollér filen',
    import: 'Indlæs filen',
    undo: 'Fortryd indlæsningen',
    back: (title: string) => `Se ${title.toLowerCase()}`,
    noFile: 'Vælg en fil først.',
    notATable: 'Filen skal være .csv eller .xlsx.',
    busy: { check: 'Kontrollerer filen …', import: 'Indlæser …', undo: 'Fortryder …' },
    would: (added: string, changed: string, unchanged: string) =>
      `Filen er i orden: ${added} nye, ${changed} ændres, ${unchanged} er som før.`,
    done: (added: string, changed: string, unchanged: string) =>
      `Indlæst: ${added} nye, ${changed} ændret, ${unchanged} som før.`,
    undone: (removed: string, restored: string, left: string) =>
      `Indlæsningen er fortrudt: ${removed} fjernet, ${restored} sat tilbage${left === '0' ? '' : `; ${left} er ændret af en anden siden og er ikke rørt`}.`,
    faulty: 'Intet er indlæst. Ret dette i filen, og vælg den igen:',
    line: (lines: string, isOne: boolean) => (isOne ? `Linje ${lines}` : `Linjerne ${lines}`),
    more: (count: string) => `og ${count} fejl mere`,
  },
  en: {
    intro:
      'Choose a file with a row for each, 2,000 at most. The file is checked first; nothing changes before you say so. What is not in the file stays as it is.',
    file: 'File (.csv in UTF-8, or .xlsx)',
    columns: 'Which columns can the file have?',
    columnsHint: 'The first row has the headings. Empty cells are not told.',
    check: 'Check the file',
    import: 'Import the file',
    undo: 'Undo the import',
    back: (title) => `See ${title.toLowerCase()}`,
    noFile: 'Choose a file first.',
    notATable: 'The file must be .csv or .xlsx.',
    busy: { check: 'Checking the file …', import: 'Importing …', undo: 'Undoing …' },
    would: (added, changed, unchanged) => `The file is fine: ${added} new, ${changed} change, ${unchanged} as before.`,
    done: (added, changed, unchanged) => `Imported: ${added} new, ${changed} changed, ${unchanged} as before.`,
    undone: (removed, restored, left) =>
      `The import is undone: ${removed} removed, ${restored} put back${left === '0' ? '' : `; ${left} were changed by somebody since, and are left`}.`,
    faulty: 'Nothing was imported. Mend this in the file, and choose it again:',
    line: (lines, isOne) => (isOne ? `Line ${lines}` : `Lines ${lines}`),
    more: (count) => `and ${count} more faults`,
  },
});

interface ImportProps<E extends Entry> {
  readonly kind: EntryKind<E>;
  readonly own: EntryTexts;
  /** Headings, and what is in the cells. */
  readonly columns: Readonly<Record<string, string>>;
}

type Step = 'check' | 'import' | 'undo';

/** A table of many, checked before anything changes; what was imported can be undone. */
export function ImportPage<E extends Entry>({ kind, own: kindTexts, columns }: ImportProps<E>) {
  const own = useTexts(texts);
  const format = useFormat();
  const [table, setTable] = useState<Table>();
  const [isChecked, setChecked] = useState(false);
  const [done, setDone] = useState<Import<E>>();
  const [busy, setBusy] = useState<Step>();
  const [error, setError] = useState<unknown>();
  const [told, setTold] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const faults = faultsOf(error);

  const during = async (step: Step, work: () => Promise<string>) => {
    setBusy(step);
    setError(undefined);
    setTold('');
    try {
      setTold(await work());
    } catch (refused) {
      setError(refused);
    }
    setBusy(undefined);
  };
  const counts = ({ added, changed, unchanged }: { added: number; changed: number; unchanged: number }) =>
    [format.number(added), format.number(changed), format.number(unchanged)] as const;
  const check = (event: Event) => {
    event.preventDefault();
    setChecked(false);
    setDone(undefined);
    void during('check', async () => {
      const chosen = input.current?.files?.[0];
      if (!chosen) throw own.noFile;
      const read = await tableOf(chosen);
      if (!read) throw own.notATable;
      const would = await call<Import<E>['counts']>('POST', `${kind.path}/import?dryRun=true`, { file: read });
      setTable(read);
      setChecked(true);
      return own.would(...counts(would));
    });
  };
  const run = () =>
    during('import', async () => {
      const imported = await importTable<E>(kind.path, table as Table);
      setDone(imported);
      setChecked(false);
      return own.done(...counts(imported.counts));
    });
  const undo = () =>
    during('undo', async () => {
      const { removed, restored, left } = await undoImport(kind, done as Import<E>);
      setDone(undefined);
      return own.undone(format.number(removed), format.number(restored), format.number(left));
    });
  return (
    <>
      <Title>{kindTexts.importTitle}</Title>
      <p>{own.intro}</p>
      <details>
        <summary>{own.columns}</summary>
        <p class="hint">{own.columnsHint}</p>
        <dl class="columns">
          {Object.entries(columns).map(([name, what]) => (
            <div key={name}>
              <dt>
                <code>{name}</code>
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
      </details>
      <form class="set-up-form" onSubmit={check} noValidate>
        <label class="form-label" for="table">
          {own.file}
        </label>
        <input
          class="form-input"
          id="table"
          ref={input}
          type="file"
          accept=".csv,.xlsx"
          aria-describedby={error ? 'table-faults' : undefined}
          onChange={() => setChecked(false)}
        />
        <div class="answers">
          <button class={`button ${isChecked ? 'button-secondary' : 'button-primary'}`} type="submit" disabled={!!busy}>
            {own.check}
          </button>
          {isChecked && (
            <button class="button button-primary" type="button" onClick={run} disabled={!!busy}>
              {own.import}
            </button>
          )}
          {done && (
            <button class="button button-secondary" type="button" onClick={undo} disabled={!!busy}>
              {own.undo}
            </button>
          )}
        </div>
      </form>
      <div role="status">
        {busy && (
          <p>
            <label>
              {own.busy[busy]} <progress />
            </label>
          </p>
        )}
        {told && <p class="alert alert-success">{told}</p>}
      </div>
      <div id="table-faults">
        {faults.length > 0 ? (
          <FaultyRows faults={faults} error={error} />
        ) : error instanceof ApiError ? (
          <ErrorAlert error={error} />
        ) : (
          error !== undefined && (
            <p class="alert alert-error" role="alert">
              {String(error)}
            </p>
          )
        )}
      </div>
      <p>
        <Link to={pathOf(kind)}>{own.back(kindTexts.title)}</Link>
      </p>
    </>
  );
}

/** Each faulty row in a sentence; rows with the same fault in one. */
function FaultyRows({ faults, error }: { readonly faults: readonly Fault[]; readonly error: unknown }) {
  const own = useTexts(texts);
  const { fields } = useTexts(LABELS);
  const language = useLanguage();
  const [, more] = /; and (\d+) more\.$/.exec(error instanceof Error ? error.message : '') ?? [];
  const groups = new Map<string, number[]>();
  for (const fault of faults) {
    const label = fields[fault.field] ?? fault.field;
    const sentence = `${label} ${faultInWords(fault, language)}`.trim();
    groups.set(sentence, [...(groups.get(sentence) ?? []), ...(fault.line === undefined ? [] : [fault.line])]);
  }
  return (
    <div class="alert alert-error" role="alert">
      <p>{own.faulty}</p>
      <ul class="no-max-width">
        {[...groups].map(([sentence, lines]) => (
          <li key={sentence}>
            {lines.length > 0 && `${own.line(lines.join(', '), lines.length === 1)}: `}
            {sentence}.
          </li>
        ))}
        {more && <li>{own.more(more)}.</li>}
      </ul>
    </div>
  );
}
