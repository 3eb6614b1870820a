import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

// IBM Plex Sans: Latin, Greek and Cyrillic. The fonts that every PDF reader has lack some letters of names. Other letters are
// shown as boxes. The files are not compressed, since pdfkit would unpack them anew for each document.
const FILES = {
  text: '400Regular/IBMPlexSans_400Regular.ttf',
  bold: '600SemiBold/IBMPlexSans_600SemiBold.ttf',
} as const;
type Weight = keyof typeof FILES;

/** Registers the fonts `text` and `bold`. */
export async function registerFonts(document: PDFKit.PDFDocument): Promise<void> {
  document.registerFont('text', await fontOf('text')).registerFont('bold', await fontOf('bold'));
}

const fonts = new Map<Weight, Promise<Buffer>>();

function fontOf(weight: Weight): Promise<Buffer> {
  const file = `@expo-google-fonts/ibm-plex-sans/${FILES[weight]}`;
  const font = fonts.get(weight) ?? readFile(fileURLToPath(import.meta.resolve(file))).then(withoutLayout);
  fonts.set(weight, font);
  return font;
}

// OpenType 1.9, table directory: 12 bytes, then 16 for each table, which begin with its tag
const [DIRECTORY, ENTRY, TAG] = [12, 16, 4];
const LAYOUT: readonly string[] = ['GSUB', 'GPOS', 'GDEF'];

/** A font whose ligatures and kerning are not found: pdfkit reads them anew for each document, which takes 0.2 s of CPU. */
function withoutLayout(font: Buffer): Buffer {
  const tables = font.readUInt16BE(4);
  for (let at = DIRECTORY; at < DIRECTORY + tables * ENTRY; at += ENTRY) {
    if (LAYOUT.includes(font.toString('latin1', at, at + TAG))) font.write('none', at, 'latin1');
  }
  return font;
}
