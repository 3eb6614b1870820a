import { execFileSync } from 'node:child_process';
import { isInstalled } from './installed.js';

/** Without it, tests of what a PDF says are skipped. */
export const HAS_PDFTOTEXT = await isInstalled('pdftotext', ['-v']);
if (!HAS_PDFTOTEXT) {
  console.warn('pdftotext (Debian package poppler-utils) is not installed: the text of PDFs is not read.');
}

/** The text of a PDF, laid out as on its pages. */
export function textOfPdf(pdf: Buffer): string {
  return execFileSync('pdftotext', ['-layout', '-', '-'], { input: pdf }).toString();
}
