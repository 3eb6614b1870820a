import { expect, test } from 'vitest';
import { isMedia } from '../src/intake/media.js';

test.each([
  ['audio/mpeg', 'lyd'],
  ['video/mp4', 'film.mp4'],
  ['VIDEO/MP4', 'FILM'],
  ['audio/ogg; codecs=opus', 'lyd'],
  ['application/ogg', 'lyd'],
  ['application/octet-stream', 'optagelse.m4a'],
  ['application/octet-stream; charset=binary', 'Optagelse.MOV'],
  ['', 'stemmebesked.amr'],
])('a file of the type “%s” named %s is sound or video', (type, name) => {
  expect(isMedia({ encodingFormat: type, detectedFormat: null, fileName: name })).toBe(true);
});

test.each([
  ['application/pdf', 'optagelse.mp3'],
  ['text/plain', 'video.txt'],
  ['application/octet-stream', 'mp3'],
  ['application/octet-stream', 'optagelse.mp3.pdf'],
  ['application/videolist', 'a'],
  ['', ''],
])('a file of the type “%s” named %s is neither', (type, name) => {
  expect(isMedia({ encodingFormat: type, detectedFormat: null, fileName: name })).toBe(false);
});

test.each([
  ['application/pdf', 'video/mp4', 'brev.pdf', true],
  ['application/octet-stream', 'audio/ogg; codecs=opus', 'lyd', true],
  ['audio/mpeg', 'application/pdf', 'lyd.mp3', true],
  ['application/octet-stream', 'application/pdf', 'optagelse.mp3', false],
])(
  'of a file the claimed type, “%s”, counts, and the shown one, %s, more than the name',
  (type, shown, name, media) => {
    expect(isMedia({ encodingFormat: type, detectedFormat: shown, fileName: name })).toBe(media);
  },
);
