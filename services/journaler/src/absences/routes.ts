import { OPERATIONS } from '@indbakke/shared/api';
import type { Bind } from '@indbakke/shared/http';
import type { Parts } from '@indbakke/shared/service';
import { readAbsence, removeAbsence, setAbsence } from './absences.js';

/** Substitutes of users who are absent. */
export function bindAbsences(bind: Bind, parts: Pick<Parts, 'store'>): void {
  bind(OPERATIONS.setAbsence, (call) => setAbsence(parts, call));
  bind(OPERATIONS.getAbsence, (call) => readAbsence(parts, call));
  bind(OPERATIONS.removeAbsence, (call) => removeAbsence(parts, call));
}
