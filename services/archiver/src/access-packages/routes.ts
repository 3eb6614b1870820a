import { OPERATIONS } from '@indbakke/shared/api';
import type { Bind } from '@indbakke/shared/http';
import { createPackage, deletePackage, listPackages, type PackageParts, readPackage } from './packages.js';
import { sendPackage } from './send-package.js';

/** Access packages (aktindsigt): everything about one citizen, for the caller who asked for it. */
export function bindAccessPackages(bind: Bind, parts: PackageParts): void {
  bind(OPERATIONS.createAccessPackage, (call) => createPackage(parts, call, call.body));
  bind(OPERATIONS.listAccessPackages, ({ principal }) => listPackages(parts, principal));
  bind(OPERATIONS.getAccessPackage, ({ principal, params }) => readPackage(parts, principal, params.packageId));
  bind(OPERATIONS.deleteAccessPackage, (call) => deletePackage(parts, call, call.params.packageId));
  bind(OPERATIONS.downloadAccessPackage, (call) => sendPackage(parts, call));
}
