import { OPERATIONS } from '@indbakke/shared/api';
import type { Bind } from '@indbakke/shared/http';
import type { Parts } from '@indbakke/shared/service';
import { sendZip } from './send-zip.js';

export function bindZip(bind: Bind, parts: Parts): void {
  bind(OPERATIONS.downloadZip, (call) => sendZip(parts, call));
}
