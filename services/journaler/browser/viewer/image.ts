import { pixelsOf } from './image-size.js';
import type { Shown } from './messages.js';

/** About 400 MB when it is decoded. */
const MAX_PIXELS = 100_000_000;

/** Shows an image, unless it is so large that it would fill the memory. @throws what cannot be shown */
export async function showImage(place: HTMLElement, { type, bytes, words }: Shown): Promise<void> {
  const pixels = pixelsOf(type, bytes);
  if (pixels === undefined || pixels > MAX_PIXELS) {
    place.textContent = pixels === undefined ? words.failed : words.tooLarge;
    return;
  }
  const image = new Image();
  image.alt = words.file;
  image.src = URL.createObjectURL(new Blob([bytes], { type }));
  await image.decode();
  place.replaceChildren(image);
}
