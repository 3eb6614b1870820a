import type { PDFDocumentProxy, PDFPageProxy } from 'pdfjs-dist';
import type { Shown } from './messages.js';

const PACKAGES = new URL('../../packages/', import.meta.url);
const STANDARD_FONTS = new URL('../../standard-fonts/', import.meta.url);
const ZOOMS = [0.5, 0.75, 1, 1.5, 2, 3];
/** Of a canvas and of an image in a page: 64 MB each, however large the page says that it is. */
const MAX_PIXELS = 16_000_000;
const MAX_PAGES = 2_000;

/** Shows the pages of a PDF below each other, each when it comes in sight. No script of the PDF is run. */
export async function showPdf(place: HTMLElement, { bytes, words }: Shown): Promise<void> {
  const library: typeof import('pdfjs-dist') = await import(new URL('pdf.min.mjs', PACKAGES).href);
  // A frame without an origin may start no worker: pdf.js works in the frame itself when it finds its worker loaded there.
  Object.assign(globalThis, { pdfjsWorker: await import(new URL('pdf.worker.min.mjs', PACKAGES).href) });
  const pdf = await library.getDocument({
    data: new Uint8Array(bytes),
    disableWorkerRendering: true, // it needs one more file
    enableXfa: false,
    maxImageSize: MAX_PIXELS,
    standardFontDataUrl: STANDARD_FONTS.href,
    useSystemFonts: false,
    useWasm: false,
    useWorkerFetch: false,
    verbosity: 0,
    wasmUrl: PACKAGES.href, // of the decoders, of which we take those without WebAssembly
  }).promise;
  const pages = document.createElement('div');
  pages.className = 'pages';
  place.replaceChildren(toolsOf(pdf, words, pages), pages);
  await layOut(pdf, pages, words);
}

/** How many pages there are, and buttons for their size. */
function toolsOf(pdf: PDFDocumentProxy, words: Shown['words'], pages: HTMLElement): HTMLElement {
  const tools = document.createElement('div');
  tools.className = 'tools';
  const count = document.createElement('span');
  count.textContent = pdf.numPages === 1 ? `${words.page} 1` : `${words.page} 1–${pdf.numPages}`;
  let zoom = ZOOMS.indexOf(1);
  const button = (sign: string, label: string, step: number) => {
    const made = document.createElement('button');
    made.type = 'button';
    made.textContent = sign;
    made.setAttribute('aria-label', label);
    made.addEventListener('click', () => {
      zoom = Math.min(ZOOMS.length - 1, Math.max(0, zoom + step));
      pages.style.setProperty('--zoom', String(ZOOMS[zoom]));
      for (const page of pages.querySelectorAll('canvas')) page.dispatchEvent(new Event('resized'));
    });
    return made;
  };
  tools.append(count, button('−', words.smaller, -1), button('+', words.larger, 1));
  return tools;
}

async function layOut(pdf: PDFDocumentProxy, pages: HTMLElement, words: Shown['words']): Promise<void> {
  const first = (await pdf.getPage(1)).getViewport({ scale: 1 });
  const inSight = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const number = Number((target as HTMLElement).dataset.number);
        if (isIntersecting) draw(pdf, number, target as HTMLElement).catch(() => target.classList.add('failed'));
        else target.querySelector('canvas')?.remove(); // or a long PDF would keep all of them
      }
    },
    { root: null, rootMargin: '100% 0%' },
  );
  for (let number = 1; number <= Math.min(pdf.numPages, MAX_PAGES); number += 1) {
    const page = document.createElement('section');
    page.className = 'page';
    page.dataset.number = String(number);
    page.style.aspectRatio = `${first.width} / ${first.height}`;
    page.setAttribute('aria-label', `${words.page} ${number} ${words.of} ${pdf.numPages}`);
    pages.append(page);
    inSight.observe(page);
  }
}

async function draw(pdf: PDFDocumentProxy, number: number, place: HTMLElement): Promise<void> {
  if (place.querySelector('canvas')) return;
  const canvas = document.createElement('canvas');
  canvas.setAttribute('aria-hidden', 'true'); // its text is beside it
  place.prepend(canvas);
  const page = await pdf.getPage(number);
  const { width, height } = page.getViewport({ scale: 1 });
  place.style.aspectRatio = `${width} / ${height}`;
  await paint(page, canvas, place.clientWidth);
  canvas.addEventListener('resized', () => paint(page, canvas, place.clientWidth).catch(() => {}));
  if (!place.querySelector('p')) place.append(await textOf(page));
}

async function paint(page: PDFPageProxy, canvas: HTMLCanvasElement, width: number): Promise<void> {
  const { width: own, height } = page.getViewport({ scale: 1 });
  const wanted = (width * devicePixelRatio) / own;
  const scale = Math.min(wanted, Math.sqrt(MAX_PIXELS / (own * height)));
  const viewport = page.getViewport({ scale });
  const drawn = document.createElement('canvas');
  drawn.width = Math.max(1, Math.floor(viewport.width));
  drawn.height = Math.max(1, Math.floor(viewport.height));
  await page.render({ canvas: drawn, viewport }).promise;
  canvas.width = drawn.width;
  canvas.height = drawn.height;
  canvas.getContext('2d')?.drawImage(drawn, 0, 0);
}

/** For who listens to the page. */
async function textOf(page: PDFPageProxy): Promise<HTMLElement> {
  const text = document.createElement('p');
  text.className = 'text';
  const { items } = await page.getTextContent();
  text.textContent = items.map((item) => ('str' in item ? `${item.str}${item.hasEOL ? '\n' : ''}` : '')).join('');
  return text;
}
