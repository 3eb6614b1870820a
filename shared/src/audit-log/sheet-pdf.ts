import { Readable } from 'node:stream';
import PDFDocument from 'pdfkit';
import { registerFonts } from '../pdf/index.js';
import { deedOf, doerOf, letterOf, timeOf } from './danish.js';
import type { LogRow } from './read-log.js';

/** What a sheet is about. */
export interface SheetFacts {
  readonly municipality: string;
  readonly madeAt: Date;
  /** Days in Danish, or nothing where the period is open. */
  readonly from: Date | undefined;
  readonly to: Date | undefined;
}

const MARGIN = 40;
const PADDING = 4;
const COLUMNS = [
  { heading: 'Hvornår', width: 105, of: ({ at }: LogRow) => timeOf(at) },
  { heading: 'Hvem', width: 190, of: doerOf },
  { heading: 'Hvad', width: 200, of: deedOf },
  { heading: 'Hvilket brev', width: 266, of: letterOf },
] as const;

const INTRODUCTION =
  'Her står, hvem der har læst, ændret eller søgt efter breve, der er fra dig, handler om dig, eller hører til en sag, du er part i. ' +
  'Medarbejdere står med deres bruger-id. Et brev står med sine datoer og sit nummer, også når det er slettet. Tiderne er danske.';

/** The sheet for a citizen as PDF, oldest first. A page is written when it is full, and rows are read as fast as it is read. */
export function writeSheetPdf(facts: SheetFacts, rows: AsyncIterable<LogRow>): Readable {
  return Readable.from(writeChunks(facts, rows), { objectMode: false });
}

async function* writeChunks(facts: SheetFacts, rows: AsyncIterable<LogRow>): AsyncGenerator<Buffer> {
  const document = new PDFDocument({
    size: 'A4',
    layout: 'landscape',
    margin: MARGIN,
    lang: 'da-DK',
    displayTitle: true,
    info: { Title: 'Udskrift af log' },
  });
  await registerFonts(document);
  let page = 1;
  writeFooter(document, page);
  document.on('pageAdded', () => {
    page += 1;
    writeFooter(document, page);
    writeHeadings(document);
  });
  writeTitle(document, facts);
  writeHeadings(document);
  let isEmpty = true;
  for await (const row of rows) {
    isEmpty = false;
    writeRow(document, row);
    yield* written(document);
  }
  if (isEmpty) document.font('text').text('Loggen har ingen hændelser i perioden.', MARGIN, document.y + PADDING);
  document.end();
  for await (const chunk of document) yield chunk as Buffer;
}

function* written(document: PDFKit.PDFDocument): Generator<Buffer> {
  for (let chunk = document.read(); chunk !== null; chunk = document.read()) yield chunk as Buffer;
}

function writeTitle(document: PDFKit.PDFDocument, { municipality, madeAt, from, to }: SheetFacts): void {
  const period = [from ? `fra ${timeOf(from)}` : '', to ? `til ${timeOf(to)}` : ''].join(' ').trim();
  document.font('bold').fontSize(16).text('Udskrift af log', MARGIN, MARGIN);
  document
    .font('text')
    .fontSize(10)
    .moveDown(0.4)
    .text(`${municipality}. Dannet ${timeOf(madeAt)}.`);
  document.text(`Periode: ${period || 'alt, hvad loggen har'}.`);
  document.moveDown(0.4).text(INTRODUCTION).moveDown(0.6);
}

function writeHeadings(document: PDFKit.PDFDocument): void {
  const top = document.y;
  document.font('bold').fontSize(9);
  let x = MARGIN;
  for (const { heading, width } of COLUMNS) {
    document.text(heading, x, top, { width: width - PADDING });
    x += width;
  }
  document.font('text');
  lineAt(document, document.y + PADDING / 2);
  document.y += PADDING;
}

function writeRow(document: PDFKit.PDFDocument, row: LogRow): void {
  const cells = COLUMNS.map(({ of, width }) => ({ text: of(row), width: width - PADDING }));
  const height = Math.max(...cells.map(({ text, width }) => document.heightOfString(text, { width })));
  if (document.y + height > document.page.maxY()) document.addPage();
  const top = document.y;
  let x = MARGIN;
  for (const { text, width } of cells) {
    document.text(text, x, top, { width, height, lineBreak: true });
    x += width + PADDING;
  }
  lineAt(document, top + height + PADDING / 2);
  document.y = top + height + PADDING;
}

function lineAt(document: PDFKit.PDFDocument, y: number): void {
  document
    .moveTo(MARGIN, y)
    .lineTo(document.page.width - MARGIN, y)
    .lineWidth(0.25)
    .stroke('#888888');
}

/** Below the margin, without moving on. */
function writeFooter(document: PDFKit.PDFDocument, page: number): void {
  const { bottom } = document.page.margins;
  document.page.margins.bottom = 0;
  document
    .font('text')
    .fontSize(8)
    .text(`Side ${page}`, MARGIN, document.page.height - MARGIN + 12, { lineBreak: false });
  document.page.margins.bottom = bottom;
  document.x = MARGIN;
  document.y = MARGIN;
}
