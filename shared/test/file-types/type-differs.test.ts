import { describe, expect, test } from 'vitest';
import { typeDiffers } from '../../src/file-types/index.js';

const OPEN_XML = 'application/vnd.openxmlformats-officedocument';
const DOCX = `${OPEN_XML}.wordprocessingml.document`;
const DOCM = 'application/vnd.ms-word.document.macroenabled.12';

describe('no difference that matters:', () => {
  test.each([
    ['application/pdf', 'application/pdf'],
    ['Application/PDF; name="x"', 'application/pdf'],
    ['application/x-pdf', 'application/pdf'],
    ['image/jpg', 'image/jpeg'],
    ['image/pjpeg', 'image/jpeg'],
    ['image/png', 'image/apng'],
    ['image/tif', 'image/x-nikon-nef'],
    ['image/heif', 'image/heic'],
    ['audio/mp3', 'audio/mpeg'],
    ['audio/x-wav', 'audio/wav'],
    ['audio/aac', 'audio/x-m4a'],
    ['video/mp4', 'video/quicktime'],
    ['video/avi', 'video/vnd.avi'],
    ['video/x-ms-wmv', 'application/vnd.ms-asf'],
    ['audio/opus', 'audio/ogg; codecs=opus'],
    ['audio/webm', 'video/webm'],
    [DOCX, 'application/zip'],
    ['application/zip', DOCX],
    ['application/msword', DOCX],
    ['application/msword', 'application/x-cfb'],
    [DOCX, 'application/x-cfb'],
    ['application/msword', 'application/rtf'],
    ['text/rtf', 'application/rtf'],
    ['application/vnd.ms-outlook', 'application/x-cfb'],
    ['application/vnd.oasis.opendocument.text', 'application/zip'],
    ['application/vnd.ms-excel', null],
    ['image/svg+xml', 'application/xml'],
    ['text/plain', 'text/calendar'],
    ['application/json', null],
    ['audio/mpeg', null],
    ['application/octet-stream', 'application/x-msdownload'],
    ['', 'application/x-msdownload'],
    ['pdf', 'image/png'],
  ])('%s and %s', (declared, detected) => {
    expect(typeDiffers(declared, detected)).toBe(false);
  });
});

describe('a difference that matters:', () => {
  test.each([
    ['application/pdf', 'image/png'],
    ['application/pdf', null],
    ['image/jpeg', null],
    [DOCX, null],
    ['text/plain', 'application/pdf'],
    ['text/html', 'application/x-msdownload'],
    ['application/pdf', 'application/xml'],
    [DOCX, DOCM],
    ['application/msword', DOCM],
    [DOCX, `${OPEN_XML}.spreadsheetml.sheet`],
    ['application/pdf', 'application/x-cfb'],
    ['image/png', 'image/jpeg'],
    ['audio/mpeg', 'video/mp4'],
    ['application/x-unheard-of', 'application/pdf'],
  ])('%s and %s', (declared, detected) => {
    expect(typeDiffers(declared, detected)).toBe(true);
  });
});
