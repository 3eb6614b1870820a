import { OPERATIONS } from '@indbakke/shared/api';
import type { Bind } from '@indbakke/shared/http';
import type { Parts } from '@indbakke/shared/service';
import { listRetention } from './dry-run.js';

export function bindRetention(bind: Bind, parts: Parts): void {
  bind(OPERATIONS.listRetention, ({ principal, query, at }) => listRetention(parts, principal, query, at));
}
