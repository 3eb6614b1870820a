import { crc32 } from 'node:zlib';

// The smallest files whose first bytes are those of real ones.

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const latin1 = (text: string) => Buffer.from(text, 'latin1');
/** Bytes as those of pictures and sound: neither text nor a signature. */
const noise = (size: number) => Buffer.from(Array.from({ length: size }, (_, at) => (at * 151 + 7) & 0xff));

export const PDF = latin1('%PDF-1.7\n%âãÏÓ\n1 0 obj\n<</Type/Catalog>>\nendobj\n%%EOF\n');
export const PNG = Buffer.concat([
  hex('89504e47 0d0a1a0a 0000000d 49484452 00000001 00000001 08060000 001f15c4 89'),
  hex('0000000d 49444154 789c6360 60606000 00000500 01a5f645 40 00000000 49454e44 ae426082'),
]);
export const JPEG = Buffer.concat([hex('ffd8ffe0 0010 4a464946 00 0101 0000 0001 0001 0000'), noise(200)]);
export const MP3 = Buffer.concat([
  latin1('ID3'),
  hex('0400 0000 0000 0a'),
  Buffer.alloc(10),
  hex('fffb9064'),
  noise(200),
]);
export const MP4 = isoMedia('isom', 'mp42');
export const HEIC = isoMedia('heic', 'mif1');
export const EXE = Buffer.concat([latin1('MZ'), hex('90000300 00000400 0000ffff'), noise(200), latin1('PE\0\0')]);
export const GZIP = Buffer.concat([hex('1f8b0800 00000000 0003'), noise(40)]);
export const ZIP = zip([['brev.txt', 'Hej']]);
export const DOCX = zip([
  [
    '[Content_Types].xml',
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
  ],
  ['word/document.xml', '<w:document/>'],
]);
/** A scan whose index comes last, as most scanners write it. */
export const TIFF = Buffer.concat([hex('49492a00 10270000'), noise(10_000)]);
/** A picture whose colour profile alone is longer than what is looked at. */
export const PNG_WITH_PROFILE = Buffer.concat([PNG.subarray(0, 33), hex('00002000'), latin1('iCCP'), noise(9_000)]);

function isoMedia(brand: string, compatible: string): Buffer {
  return Buffer.concat([
    hex('00000018'),
    latin1(`ftyp${brand}\0\0\0\0${compatible}${brand}`),
    hex('00000008'),
    latin1('mdat'),
    noise(100),
  ]);
}

/** A zip of stored entries. */
function zip(entries: readonly (readonly [name: string, content: string])[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of entries) {
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt32LE(crc32(content), 10);
    facts.writeUInt32LE(content.length, 14);
    facts.writeUInt32LE(content.length, 18);
    facts.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([latin1('PK\x03\x04'), facts, latin1(name + content)]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([latin1('PK\x01\x02\x14\0'), facts, place, latin1(name)]));
    locals.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(Buffer.concat(directory).length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, ...directory, latin1('PK\x05\x06'), end]);
}
