import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isInstalled } from '../../../../infra/src/testkit/installed.js';

// Other people’s readers of Excel files.

const execute = promisify(execFile);

/** Whether LibreOffice is installed; if not, says what is skipped. */
export const HAS_LIBREOFFICE = await isInstalled('soffice', ['--version']);
if (!HAS_LIBREOFFICE) {
  console.warn(
    'LibreOffice (Debian package libreoffice-calc-nogui) is not installed: Excel files are not opened in it.',
  );
}

export interface Cell {
  readonly type: string;
  readonly style: string;
  readonly text: string;
}

export interface Sheet {
  /** The names of the elements in the cells. */
  readonly elements: string[];
  readonly frozenRows: string;
  readonly widths: number[];
  /** The format of each style. */
  readonly formats: string[];
  readonly rows: Cell[][];
}

const PYTHON = `import json, sys, zipfile, xml.etree.ElementTree as xml
N = '{http://schemas.openxmlformats.org/spreadsheetml/2006/main}'
with zipfile.ZipFile(sys.argv[1]) as z:
    assert z.testzip() is None
    sheet = xml.fromstring(z.read('xl/worksheets/sheet1.xml'))
    styles = xml.fromstring(z.read('xl/styles.xml'))
own = {f.get('numFmtId'): f.get('formatCode') for f in styles.iter(N + 'numFmt')}
formats = [own.get(x.get('numFmtId'), x.get('numFmtId')) for x in styles.find(N + 'cellXfs')]
cells = list(sheet.iter(N + 'c'))
print(json.dumps({
    'elements': sorted({e.tag.replace(N, '') for c in cells for e in c.iter()}),
    'frozenRows': sheet.find('.//' + N + 'pane').get('ySplit'),
    'widths': [float(c.get('width')) for c in sheet.iter(N + 'col')],
    'formats': formats,
    'rows': [[{'type': c.get('t', 'n'), 'style': c.get('s', '0'), 'text': ''.join(c.itertext())} for c in r] for r in sheet.iter(N + 'row')],
}))`;

/** An Excel file as Python’s zipfile and XML parser read it. */
export function readWithPython(file: Buffer): Promise<Sheet> {
  return withFile(file, async (path) => {
    const { stdout } = await execute('python3', ['-c', PYTHON, path], { maxBuffer: 2 ** 28 });
    return JSON.parse(stdout) as Sheet;
  });
}

/** The rows that LibreOffice shows. */
export function showInLibreOffice(file: Buffer): Promise<string[][]> {
  return withFile(file, async (path, folder) => {
    // Tab between cells, quotes around texts, UTF-8, as shown. Its own profile, since two cannot share one.
    const format = 'csv:Text - txt - csv (StarCalc):9,34,76,1,,1030,true,true,true';
    const profile = `-env:UserInstallation=file://${folder}/profile`;
    await execute('soffice', [profile, '--headless', '--convert-to', format, '--outdir', folder, path]);
    return parseCsv(await readFile(join(folder, 'sheet.csv'), 'utf8'));
  });
}

async function withFile<T>(file: Buffer, work: (path: string, folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-sheet-'));
  try {
    const path = join(folder, 'sheet.xlsx');
    await writeFile(path, file);
    return await work(path, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function parseCsv(csv: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^\t\n]*))(\t|\n|$)/g)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === '\n') rows.push([]);
  }
  return rows.filter((row) => row.length > 1);
}
