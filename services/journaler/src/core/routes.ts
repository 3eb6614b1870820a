import { OPERATIONS } from '@indbakke/shared/api';
import type { Bind } from '@indbakke/shared/http';
import { type CoreParts, registerSentMessage, upsertCase } from './register.js';
import { type BatchParts, registerCases } from './register-cases.js';

/** What the DUBU core registers: the messages that it sent, and its cases. */
export function bindCore(bind: Bind, parts: CoreParts & BatchParts): void {
  bind(OPERATIONS.registerSentMessage, (call) => registerSentMessage(parts, call));
  bind(OPERATIONS.upsertCase, (call) => upsertCase(parts, call));
  bind(OPERATIONS.registerCases, (call) => registerCases(parts, call));
}
