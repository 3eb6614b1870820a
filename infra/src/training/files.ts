import { buffer } from 'node:stream/consumers';
import { crc32, deflateSync } from 'node:zlib';
import PDFDocument from 'pdfkit';
import type { MemoSpecDocument, MemoSpecFile } from '../testkit/write-memo.js';

// Files that open, and are the same bytes each time: a letter that is sent again must be the same letter.

const DATED = new Date('2026-11-02T08:00:00Z');

/** A PDF of one or more pages. */
export async function pdf(name: string, title: string, ...pages: readonly string[]): Promise<MemoSpecFile> {
  const document = new PDFDocument({ size: 'A4', lang: 'da-DK', compress: false, info: { CreationDate: DATED } });
  for (const [at, page] of pages.entries()) {
    if (at > 0) document.addPage();
    document.fontSize(16).text(title).moveDown().fontSize(11).text(page);
    document.moveDown().fontSize(9).text('Øvelse – ikke rigtig post');
  }
  document.end();
  return { name, type: 'application/pdf', content: await buffer(document) };
}

const [WIDTH, HEIGHT] = [240, 160];

/** A PNG: a picture without anything on it (PNG, third edition, 5 and 11). */
export function picture(name: string): MemoSpecFile {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(WIDTH, 0);
  header.writeUInt32BE(HEIGHT, 4);
  header.set([8, 2], 8); // eight bits each of red, green and blue
  const rows = Array.from({ length: HEIGHT }, (_, y) =>
    Buffer.from([0, ...Array.from({ length: WIDTH }, (_, x) => [255 - y, 200, 100 + (x >> 1)]).flat()]),
  );
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const chunks = [
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ];
  return { name, type: 'image/png', content: Buffer.concat([signature, ...chunks]) };
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const around = Buffer.alloc(8);
  around.writeUInt32BE(data.length, 0);
  around.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([around.subarray(0, 4), body, around.subarray(4)]);
}

const RATE = 8_000;

/** A WAV: two seconds of a tone. */
export function sound(name: string): MemoSpecFile {
  const samples = Buffer.from(
    Array.from({ length: 2 * RATE }, (_, at) => Math.round(128 + 60 * Math.sin((2 * Math.PI * 440 * at) / RATE))),
  );
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + samples.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20); // PCM
  header.writeUInt16LE(1, 22); // one channel
  header.writeUInt32LE(RATE, 24);
  header.writeUInt32LE(RATE, 28);
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34); // bits
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(samples.length, 40);
  return { name, type: 'audio/wav', content: Buffer.concat([header, samples]) };
}

/** A main document in HTML. */
export function html(body: string): MemoSpecDocument {
  const page = `<!DOCTYPE html><html lang="da"><head><meta charset="utf-8"><title>Besked</title></head><body>${body}</body></html>`;
  return { files: [{ name: 'besked.html', type: 'text/html', content: Buffer.from(page) }] };
}

export function attached(file: MemoSpecFile): MemoSpecDocument {
  return { label: file.name, files: [file] };
}
