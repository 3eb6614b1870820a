import { describe, expect, test } from 'vitest';
import { MAX_BYTES, MAX_TEXT, plainTextOf } from '../src/text/plain-text.js';

const whole = (bytes: Buffer, isHtml: boolean, charset?: string) =>
  plainTextOf(bytes.subarray(0, MAX_BYTES), { isHtml, charset, size: bytes.length });
const html = (source: string) => whole(Buffer.from(source), true).text;
const plain = (source: string) => whole(Buffer.from(source), false).text;

describe('HTML is read as a person sees it:', () => {
  test.each([
    [
      'paragraphs',
      '<p>Kære kommune</p>\n<p>Jeg  skriver\n om <b>mit</b> <i>barn</i>.</p>',
      'Kære kommune\n\nJeg skriver om mit barn.',
    ],
    ['lines', 'Test Testesen<br>Testvej 1<br/><br>5000 Odense', 'Test Testesen\nTestvej 1\n\n5000 Odense'],
    ['headings and blocks', '<h1>Emne</h1><div>en</div><div>to</div>', 'Emne\n\nen\nto'],
    ['entities', '&AElig;ble &amp; p&aelig;re &lt;b&gt; &#233;&#x1F600; &euro;&nbsp;5', 'Æble & pære <b> é😀 € 5'],
    ['a list', 'Det er:<ul><li>en</li><li>to<ul><li>under</ul></ul>', 'Det er:\n- en\n- to\n  - under'],
    ['a numbered list', '<ol start="3"><li><p>tre</p><li><p>fire<p>og mere</ol>', '3. tre\n4. fire\n\nog mere'],
    [
      'a table',
      '<table><tr><th>Navn<th>By</tr><tr><td><p>Test</p></td><td><p>Odense</p></td></tr></table>',
      'Navn | By\nTest | Odense',
    ],
    ['an empty cell or item', '<table><tr><td>a</td><td></td></tr></table>b<ul><li></li></ul>c', 'a\nb\nc'],
    ['a table with an empty cell', '<table><tr><td></td><td>b</td><td></td><td>c</td></tr></table>', 'b | c'],
    [
      'a table that makes columns of a page',
      '<table><tr><td><table><tr><td>en</td></tr><tr><td>to</td></tr></table></td><td>tre</td></tr></table>',
      'en\nto\ntre',
    ],
    ['preformatted text', '<pre>a\n  b  c\n\nd</pre>', 'a\n  b  c\n\nd'],
    ['a picture', '<img alt="Logo" src="http://example.org/spy.png"> Hej <img src="x">', '[Logo] Hej'],
    [
      'a form',
      'Navn: <input value="Test Testesen"> <input type=checkbox checked>Ja <input type="radio">Nej <input type="submit" value="Send">',
      'Navn: Test Testesen [x] Ja [ ] Nej',
    ],
    ['text that looks like markup', '1 < 2 og 3 > 2 & <3', '1 < 2 og 3 > 2 & <3'],
    ['what is never closed', '<table><tr><td><b>fed <i>skrå', 'fed skrå'],
    ['what is closed only', '</div></p></table>tekst</span>', 'tekst'],
    ['nothing', '<!DOCTYPE html><html><head><title>x</title></head><body></body></html>', ''],
  ])('%s', (_what, source, text) => {
    expect(html(source)).toBe(text);
  });
});

describe('what is not seen in HTML is left out:', () => {
  test.each([
    ['a script', '<script>alert("<p>x</p>")</script>'],
    ['a script that is not closed', '', '<script>alert(1)'],
    ['a style sheet', '<style>p { color: red } </style>'],
    ['a comment', '<!-- hemmeligt > <p>x</p> -->'],
    ['a comment for Outlook', '<!--[if mso]><p>x</p><![endif]-->'],
    ['the head', '<head><title>Titel</title><meta name="x" content="y"></head>'],
    ['a template', '<template><p>x</p></template>'],
    ['a frame', '<iframe srcdoc="<p>x</p>">x</iframe>'],
    ['what is hidden', '<div hidden><p>x</p><br></div>'],
    ['what a style hides', '<div style="color:red; DISPLAY : none"><b>x</b></div>'],
    ['what a style makes invisible', '<p style="visibility:hidden">x</p>'],
    ['what is of no size', '<span style="font-size:0px">x</span>'],
    ['what is wholly transparent', '<span style="opacity: 0">x</span>'],
    ['a hidden paragraph that the next one ends', '<p hidden>x<p></p>'],
    ['a dialog', '<dialog>x</dialog>'],
    ['a hidden field', '<input type="hidden" value="x"><input type="password" value="x">'],
    ['an instruction', '<?php x ?>'],
    ['event handlers and addresses', '<b onclick="x()" data-x="x"></b><img src="https://example.org/x">'],
  ])('%s', (_what, hidden, last = '') => {
    expect(html(`<p>før</p>${hidden}<p>efter</p>${last}`)).toBe('før\n\nefter');
  });

  test.each(['font-size:0.9em', 'opacity:0.5', 'display:block', 'x-display:none-of-that'])(
    'but not of the style %s',
    (style) => {
      expect(html(`<p style="${style}">set</p>`)).toBe('set');
    },
  );
});

describe('a link is its text, with its address after it:', () => {
  test.each([
    [
      'that says something else',
      '<a href="https://example.org/a?b=1">Klik her</a> nu',
      'Klik her (https://example.org/a?b=1) nu',
    ],
    [
      'that pretends to be another',
      '<a href="http://example.org/">www.odense.dk</a>',
      'www.odense.dk (http://example.org/)',
    ],
    ['unless they are the same', '<a href="http://Example.org/">example.org</a>', 'example.org'],
    ['of mail', '<a href="mailto:test@example.org">Skriv</a>', 'Skriv (mailto:test@example.org)'],
    ['unless mail has that text', '<a href="mailto:test@example.org">test@example.org</a>', 'test@example.org'],
    ['with letters that look like others', '<a href="https://odensе.dk">x</a>', 'x (https://xn--odens-3we.dk/)'],
    ['unless it is a script', '<a href="JavaScript:alert(1)">Klik</a>', 'Klik'],
    ['unless it is a file', '<a href="file:///etc/passwd">Klik</a>', 'Klik'],
    ['unless it is data', '<a href="data:text/html,x">Klik</a>', 'Klik'],
    ['unless it leads nowhere', '<a href="#top">Op</a> <a href="/x">Her</a> <a>Der</a>', 'Op Her Der'],
    ['unless it has no text', '<a href="https://example.org/"><img src="x"></a>', ''],
    [
      'and links do not nest',
      '<a href="https://a.example/">a<b><a href="https://b.example/">b</a></b>',
      'a (https://a.example/)b (https://b.example/)',
    ],
  ])('%s', (_what, source, text) => {
    expect(html(source)).toBe(text);
  });
});

test('characters that deceive or control are removed, however they are written', () => {
  expect(html('exe.&#x202e;fdp&#8238; a&#0;&#1;b&#27;[31m &shy;&ZeroWidthSpace;&#8203;c')).toBe(
    'exe.fdp a\ufffdb[31m c',
  );
  expect(plain('a\u202eb\u2066c\u0000d\u001b[31me\u009bf\ufeff\u200bg')).toBe('abcd[31mefg');
});

test('plain text keeps its lines and spaces, whatever its line ends', () => {
  expect(plain('Kære kommune\r\n\r\n\r\n\r\n  indrykket\tfelt\rnæste\u2028sidste  ')).toBe(
    'Kære kommune\n\n  indrykket\tfelt\nnæste\nsidste',
  );
  expect(plain('<p>ikke &amp; HTML</p>')).toBe('<p>ikke &amp; HTML</p>');
});

test('plain text that is an HTML document is read as one', () => {
  expect(plain(' \n<!doctype HTML><p>Hej</p>')).toBe('Hej');
});

describe('the encoding is', () => {
  const danish = 'Æblegrød på Ærø';
  const latin1 = Buffer.from(danish, 'latin1');
  const meta = (charset: string) => Buffer.from(`<meta http-equiv="x" content="text/html; charset=${charset}">`);

  test.each<[string, Buffer, string?]>([
    ['UTF-8', Buffer.from(danish)],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${danish}`)],
    ['UTF-8 with another one declared', Buffer.from(danish), 'iso-8859-1'],
    ['UTF-16 with a byte order mark', Buffer.from(`\ufeff${danish}`, 'utf16le')],
    ['UTF-16 of the other byte order', Buffer.from(`\ufeff${danish}`, 'utf16le').swap16()],
    ['windows-1252 where none is declared', latin1],
    ['windows-1252 where UTF-8 is declared falsely', latin1, 'utf-8'],
    ['windows-1252 where the declared one does not exist', latin1, 'x-danish'],
    ['windows-1252 where UTF-16 is declared', latin1, 'utf-16'],
  ])('%s', (_what, bytes, charset) => {
    expect(whole(bytes, false, charset).text).toBe(danish);
  });

  test.each([
    ['iso-8859-1', [0x93, 0xe6, 0x94, 0x80], '“æ”€'],
    ['windows-1252', [0x93, 0xe6, 0x94, 0x80], '“æ”€'],
    ['iso-8859-15', [0xa4, 0xe6], '€æ'],
    ['koi8-r', [0xf0, 0xd2, 0xc9], 'При'],
    ['windows-1251', [0xcf, 0xf0, 0xe8], 'При'],
    ['utf-16le', [0xe6, 0xf8], 'æø'],
  ])('in HTML the declared one: %s', (charset, bytes, text) => {
    expect(whole(Buffer.concat([meta(charset), Buffer.from(bytes)]), true).text).toBe(text);
  });
});

describe('the answer is limited:', () => {
  test('a long text is cut between characters', () => {
    const long = whole(Buffer.from(`x${'😀'.repeat(MAX_TEXT / 2)}`), false);
    expect(long).toEqual({ text: `x${'😀'.repeat(MAX_TEXT / 2 - 1)}`, isTruncated: true });
  });

  test('a text of just that length is whole', () => {
    expect(whole(Buffer.from('å'.repeat(MAX_TEXT)), false)).toEqual({ text: 'å'.repeat(MAX_TEXT), isTruncated: false });
  });

  test('a file of which only the beginning was read is cut, even inside a character', () => {
    const bytes = Buffer.from('kort');
    expect(plainTextOf(bytes, { isHtml: true, charset: undefined, size: 5 })).toEqual({
      text: 'kort',
      isTruncated: true,
    });
    const cut = Buffer.from('på').subarray(0, 2);
    expect(plainTextOf(cut, { isHtml: false, charset: undefined, size: 3 }).text).toBe('p');
  });

  const repeated = (piece: string) => piece.repeat(Math.ceil(MAX_BYTES / piece.length));
  test.each([
    ['elements inside elements', `før ${repeated('<div>')}`],
    ['tags that close nothing', `før ${'<div>'.repeat(400)}${repeated('</x>')}`],
    ['links inside links', `før ${repeated('<a href="https://example.org/"><b>')}`],
    ['paragraphs in many formats', `før ${'<b>'.repeat(400)}${repeated('<p>')}`],
    ['attributes', `før <a ${Array.from({ length: 200_000 }, (_, n) => `a${n}`).join(' ')}>`],
    ['a style', `før <p style="${repeated('display')}">`],
    ['comments that do not end', `før ${repeated('<!--')}`],
    ['entities that do not end', `<title>${repeated('&lt')}</title>`],
  ])('1 MiB of %s is read, in one pass', (_what, source) => {
    expect(html(source).length).toBeLessThanOrEqual(MAX_TEXT);
  });

  test('what is nested deeper than browsers nest is cut', () => {
    const deep = (levels: number) => whole(Buffer.from(`før${'<i>'.repeat(levels)} inde`), true);
    expect(deep(500)).toEqual({ text: 'før inde', isTruncated: false });
    expect(deep(100_000)).toEqual({ text: 'før', isTruncated: true });
  });
});
