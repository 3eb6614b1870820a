import { OPERATIONS } from '@indbakke/shared/api';
import type { Bind } from '@indbakke/shared/http';
import type { Parts } from '@indbakke/shared/service';
import {
  createZipDownload,
  deleteZipDownload,
  listZipDownloads,
  readZipDownload,
  type ZipSettings,
} from './downloads.js';
import { sendZipDownload } from './send-zip-download.js';

/** Zip downloads: many messages in one zip, for the caller who asked for it. */
export function bindZipDownloads(bind: Bind, parts: Parts, settings: ZipSettings): void {
  bind(OPERATIONS.createZipDownload, (call) => createZipDownload(parts, call, call.body, settings));
  bind(OPERATIONS.listZipDownloads, ({ principal }) => listZipDownloads(parts, principal));
  bind(OPERATIONS.getZipDownload, ({ principal, params }) => readZipDownload(parts, principal, params.zipId));
  bind(OPERATIONS.deleteZipDownload, (call) => deleteZipDownload(parts, call, call.params.zipId));
  bind(OPERATIONS.downloadZipOfMany, (call) => sendZipDownload(parts, call));
}
