import type { DocumentAnswer } from '@indbakke/shared/api';
import { useState } from 'preact/hooks';
import { Foreign } from '../foreign.js';
import { inBoth, useFormat, useTexts } from '../language.js';
import { PREFIX } from '../session.js';
import { FilePreview } from './file-preview.js';
import { isSafe, ScanOfFile } from './scan.js';
import { LETTER_WORDS } from './words.js';

const texts = inBoth({
  da: {
    title: 'Filer',
    name: 'Fil',
    part: 'Del',
    type: 'Type',
    size: 'Størrelse',
    actions: 'Handlinger',
    show: 'Vis',
    hide: 'Skjul',
    download: 'Hent',
    anyway: 'Hent usikker fil',
    differs: (claimed: string) => `ikke ${claimed}, som afsenderen skriver`,
    absent: { expected: 'på vej', missing: 'kom ikke' },
    unnamed: '(uden navn)',
    kinds: { plain: 'tekst', 'octet-stream': 'data' } as Readonly<Record<string, string>>,
  },
  en: {
    title: 'Files',
    name: 'File',
    part: 'Part',
    type: 'Type',
    size: 'Size',
    actions: 'Actions',
    show: 'Show',
    hide: 'Hide',
    download: 'Download',
    anyway: 'Download unsafe file',
    differs: (claimed: string) => `not ${claimed}, as the sender says`,
    absent: { expected: 'on its way', missing: 'did not come' },
    unnamed: '(no name)',
    kinds: { plain: 'text', 'octet-stream': 'data' },
  },
});

export type LetterFile = DocumentAnswer['documents'][number]['files'][number];

const SHOWN: ReadonlySet<string> = new Set(['application/pdf', 'image/png', 'image/jpeg', 'image/gif']);
/** The frame has all of it in memory. */
const MAX_SHOWN = 100_000_000;

/** By what the first bytes show, never by what the sender claims. */
export const isShown = (file: LetterFile): boolean => isSafe(file) && isShowable(file);

const isShowable = ({ detectedFormat, status, size }: LetterFile): boolean =>
  status === 'stored' && size <= MAX_SHOWN && detectedFormat !== null && SHOWN.has(detectedFormat);

export const hrefOfFile = (letterId: string, { id }: LetterFile): string =>
  `${PREFIX}/api/v1/incoming-documents/${letterId}/files/${id}`;

/** All files: PDF and images can be shown, everything else only downloaded. */
export function Files({ letter }: { readonly letter: DocumentAnswer }) {
  const own = useTexts(texts);
  const words = useTexts(LETTER_WORDS);
  const format = useFormat();
  const [openId, setOpenId] = useState<string>();
  const files = letter.documents.flatMap(({ role, label, files: all }) => all.map((file) => ({ role, label, file })));
  const open = files.find(({ file }) => file.id === openId)?.file;
  const wordOf = (file: LetterFile) => (isSafe(file) ? own.download : own.anyway);
  if (files.length === 0) return null;
  return (
    <section aria-labelledby="files">
      <h2 id="files">{own.title}</h2>
      <div class="scroll">
        <table class="cards">
          <thead>
            <tr>
              <th scope="col">{own.name}</th>
              <th scope="col">{own.part}</th>
              <th scope="col">{own.type}</th>
              <th scope="col" class="number">
                {own.size}
              </th>
              <th scope="col">
                <span class="sr-only">{own.actions}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {files.map(({ role, label, file }) => (
              <tr key={file.id}>
                <th scope="row" class="file-name" data-title={own.name}>
                  <Foreign>{nameOf(file) || own.unnamed}</Foreign>
                  {label && label !== file.fileName && (
                    <span class="quiet">
                      {' '}
                      <Foreign>{label}</Foreign>
                    </span>
                  )}
                  <ScanOfFile file={file} />
                </th>
                <td data-title={own.part}>{words.role[role]}</td>
                <td data-title={own.type}>
                  {nameOfType(file.detectedFormat ?? file.encodingFormat, own.kinds)}
                  {isOther(file) && (
                    <span class="differs"> {own.differs(nameOfType(file.encodingFormat, own.kinds))}</span>
                  )}
                </td>
                <td class="number" data-title={own.size}>
                  {file.status === 'stored' ? format.size(file.size) : own.absent[file.status]}
                </td>
                <td class="buttons">
                  {isShown(file) && (
                    <button
                      class="button button-secondary"
                      type="button"
                      aria-expanded={file.id === openId}
                      aria-label={`${file.id === openId ? own.hide : own.show} ${nameOf(file)}`}
                      onClick={() => setOpenId(file.id === openId ? undefined : file.id)}
                    >
                      {file.id === openId ? own.hide : own.show}
                    </button>
                  )}
                  {file.status === 'stored' && file.mayOpen && (
                    <a
                      class="button button-secondary"
                      href={hrefOfFile(letter.id, file)}
                      download
                      aria-label={`${wordOf(file)} ${nameOf(file)}`}
                    >
                      {wordOf(file)}
                    </a>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {open && <FilePreview key={open.id} letterId={letter.id} file={open} isAsked />}
    </section>
  );
}

/** Without the characters that turn the direction of writing, which make `exe.png` of `gnp.exe`. */
export const nameOf = ({ fileName }: LetterFile): string => fileName.replace(/[\u202A-\u202E\u2066-\u2069]/g, '�');

const isOther = ({ detectedFormat, encodingFormat }: LetterFile) =>
  detectedFormat !== null && encodingFormat !== '' && detectedFormat !== encodingFormat.toLowerCase();

/** `PDF`, `JPEG`; the whole type where it has no such end. */
function nameOfType(type: string, kinds: Readonly<Record<string, string>>): string {
  const [, end = ''] = type.toLowerCase().split('/');
  if (end === 'svg+xml') return 'SVG';
  return kinds[end] ?? (/^[a-z]{2,5}$/.test(end) ? end.toUpperCase() : type);
}
