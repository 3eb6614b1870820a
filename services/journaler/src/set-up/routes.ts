import { OPERATIONS } from '@indbakke/shared/api';
import type { Bind } from '@indbakke/shared/http';
import type { Parts } from '@indbakke/shared/service';
import { listSettingsChanges } from './changes.js';
import { readCheck, startCheck } from './check.js';
import {
  addContactPoint,
  changeContactPoint,
  importContactPoints,
  listContactPoints,
  readContactPoint,
  removeContactPoint,
} from './contact-points.js';
import { changeMunicipality, readMunicipality } from './municipality.js';

/** What a municipality decides by itself. @param wake has held messages decided again, after a change */
export function bindSetUp(bind: Bind, parts: Pick<Parts, 'store'>, wake: () => void): void {
  const thenWake = async <T>(change: Promise<T>): Promise<T> => {
    const answer = await change;
    wake();
    return answer;
  };
  bind(OPERATIONS.getMunicipality, ({ principal }) => readMunicipality(parts, principal));
  bind(OPERATIONS.changeMunicipality, (call) => thenWake(changeMunicipality(parts, call)));
  bind(OPERATIONS.listSettingsChanges, ({ principal }) => listSettingsChanges(parts, principal));
  bind(OPERATIONS.listContactPoints, ({ principal }) => listContactPoints(parts, principal));
  bind(OPERATIONS.addContactPoint, (call) => thenWake(addContactPoint(parts, call)));
  bind(OPERATIONS.importContactPoints, (call) => thenWake(importContactPoints(parts, call)));
  bind(OPERATIONS.getContactPoint, (call) => readContactPoint(parts, call));
  bind(OPERATIONS.changeContactPoint, (call) => thenWake(changeContactPoint(parts, call)));
  bind(OPERATIONS.startContactPointCheck, (call) => startCheck(parts, call));
  bind(OPERATIONS.getContactPointCheck, ({ principal, params }) => readCheck(parts, principal, params.contactPointId));
  bind(OPERATIONS.removeContactPoint, (call) => thenWake(removeContactPoint(parts, call)));
}
