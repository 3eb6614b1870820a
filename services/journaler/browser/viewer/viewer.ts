import { showImage } from './image.js';
import type { Shown } from './messages.js';
import { showPdf } from './pdf.js';

// Runs in a frame of its own (sandboxed, without network), and shows one file that a citizen sent. It gets the bytes once, from the
// page around it.

addEventListener('message', async ({ source, data }: MessageEvent<Shown>) => {
  if (source !== parent) return;
  document.documentElement.lang = data.language;
  const place = document.querySelector('main');
  if (!place) return;
  try {
    await (data.kind === 'pdf' ? showPdf : showImage)(place, data);
  } catch {
    tell(place, data.words.failed);
  }
});

function tell(place: HTMLElement, text: string): void {
  const line = document.createElement('p');
  line.setAttribute('role', 'alert');
  line.textContent = text;
  place.replaceChildren(line);
}
