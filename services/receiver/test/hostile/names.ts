import { writeMemo } from '../../../../infra/src/testkit/write-memo.js';
import { goodWith, type HostileList } from './hostile.js';

const fileName = (written: string, answer = 'accepted') =>
  goodWith((xml) => xml.replace(/(<memo:filename>)[^<]*/, (_, tag: string) => tag + written), answer);
const file = (name: string, type: string, content: string) => ({
  body: () => writeMemo({ documents: [{ files: [{ name, type, content: Buffer.from(content, 'latin1') }] }] }),
  answer: 'accepted',
});

/** A file name is stored as it is, with a remark, and never used as a path; the zip and the download make it safe. */
export const FILE_NAMES: HostileList = {
  'file name that leads upwards': fileName('../../../../etc/cron.d/x'),
  'file name that leads upwards on Windows': fileName('..\\..\\windows\\x.exe'),
  'file name of a drive': fileName('C:\\x.pdf'),
  'file name of another machine': fileName('\\\\10.0.0.1\\x.pdf'),
  'file name that Windows reserves': fileName('CON.pdf'),
  'file name with an alternate data stream': fileName('x.pdf::$DATA'),
  'file name with control characters': fileName('a&#9;&#10;&#13;b.pdf'),
  'file name with a NUL': fileName('a&#0;.pdf', 'not-xml'),
  'file name that reads from right to left': fileName('rapport\u202efdp.exe'),
  'file name of invisible characters': fileName('\u200b\u200d\u2060'),
  'file name of 10 kB': fileName('æ'.repeat(5_000)),
  'file name of dots': fileName('..'),
  'file name of a slash': fileName('/'),
  'empty file name': fileName(''),
  'file name that is a header': fileName('a"&#13;&#10;X-Evil: 1'),
  'file name that is SQL': fileName("'); DROP TABLE messages; --"),
  'two files with one name': goodWith(
    (xml) => xml.replace(/<memo:File>.*<\/memo:File>/s, (one) => one + one),
    'accepted',
  ),
  'a program named as a PDF': file('x.pdf', 'application/pdf', 'MZ\x90\0'),
  'HTML named as text': file('x.txt', 'text/plain', '<script>alert(1)</script>'),
  'a PDF named as HTML': file('x.html', 'text/html', '%PDF-1.7'),
  'a media type that is a header': file('x', 'text/html\r\nX-Evil: 1', 'x'),
};
