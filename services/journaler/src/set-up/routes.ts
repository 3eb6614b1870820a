import { OPERATIONS } from '@indbakke/shared/api';
import type { Bind } from '@indbakke/shared/http';
import type { Parts } from '@indbakke/shared/service';
import { listSettingsChanges } from './changes.js';
import { readCheck, startCheck } from './check.js';
import { CONTACT_POINTS } from './contact-points.js';
import { DEPARTMENTS } from './departments.js';
import { addEntry, changeEntry, importEntries, listEntries, readEntry, removeEntry } from './entries.js';
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
  bind(OPERATIONS.listContactPoints, ({ principal }) => listEntries(CONTACT_POINTS, parts, principal));
  bind(OPERATIONS.addContactPoint, (call) => thenWake(addEntry(CONTACT_POINTS, parts, call)));
  bind(OPERATIONS.importContactPoints, (call) =>
    thenWake(importEntries(CONTACT_POINTS, parts, call, call.body.contactPoints)),
  );
  bind(OPERATIONS.getContactPoint, ({ principal, params }) =>
    readEntry(CONTACT_POINTS, parts, principal, params.contactPointId),
  );
  bind(OPERATIONS.changeContactPoint, (call) =>
    thenWake(changeEntry(CONTACT_POINTS, parts, call, { id: call.params.contactPointId, ...call.body })),
  );
  bind(OPERATIONS.startContactPointCheck, (call) => startCheck(parts, call));
  bind(OPERATIONS.getContactPointCheck, ({ principal, params }) => readCheck(parts, principal, params.contactPointId));
  bind(OPERATIONS.removeContactPoint, (call) =>
    thenWake(removeEntry(CONTACT_POINTS, parts, call, call.params.contactPointId)),
  );
  bind(OPERATIONS.listDepartments, ({ principal }) => listEntries(DEPARTMENTS, parts, principal));
  bind(OPERATIONS.addDepartment, (call) => addEntry(DEPARTMENTS, parts, call));
  bind(OPERATIONS.importDepartments, (call) => importEntries(DEPARTMENTS, parts, call, call.body.departments));
  bind(OPERATIONS.changeDepartment, (call) =>
    changeEntry(DEPARTMENTS, parts, call, { id: call.params.departmentId, ...call.body }),
  );
  bind(OPERATIONS.removeDepartment, (call) => removeEntry(DEPARTMENTS, parts, call, call.params.departmentId));
}
