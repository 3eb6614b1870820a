/** Width times height, as the head of an image says it; undefined when it does not say. */
export function pixelsOf(type: string, bytes: ArrayBuffer): number | undefined {
  const view = new DataView(bytes);
  try {
    if (type === 'image/png') return view.getUint32(16) * view.getUint32(20);
    if (type === 'image/gif') return view.getUint16(6, true) * view.getUint16(8, true);
    if (type === 'image/jpeg') return pixelsOfJpeg(view);
    return undefined;
  } catch {
    return undefined; // it ends before that
  }
}

/** JPEG (ITU T.81, B.1.1.3 and B.2.2): segments with their lengths, until that of the frame. */
function pixelsOfJpeg(view: DataView): number | undefined {
  for (let at = 2; view.getUint8(at) === 0xff; ) {
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1; // a fill byte
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return view.getUint16(at + 5) * view.getUint16(at + 7);
    at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}
