// A process that deletes, and kills itself at a point. Arguments: what it does (delete, confirm or destroy); the point, or `written`:
// before the COMMIT; the message.

import { subscribe } from 'node:diagnostics_channel';
import { CommonConfig, readConfig } from '@indbakke/shared/config';
import { confirmDeletion, deleteMessage } from '@indbakke/shared/inbox';
import { openParts } from '@indbakke/shared/service';
import { destroyDue } from '../../dist/deletion/destroy-due.js';

const [does, point, id] = process.argv.slice(2);
const die = () => process.kill(process.pid, 'SIGKILL');
subscribe('indbakke:crash-point', (passed) => {
  if (passed.point === point) die();
});

const opened = await openParts(readConfig(CommonConfig, process.env), 'deleter');
const { store } = opened;
const withTenantConnection = (municipality, work) =>
  store.withTenantConnection(municipality, async (connection) => {
    const result = await work(connection);
    if (point === 'written') die();
    return result;
  });
const parts = { ...opened, store: { ...store, withTenantConnection } };

const roles = new Set(['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle', 'DigitalPost.Slet']);
const requestOf = (user, expectedVersion) => ({
  principal: {
    municipality: '22222222',
    actor: { kind: 'user', id: user },
    roles,
    teams: [],
    role: 'DigitalPost.Slet',
  },
  id,
  expectedVersion,
  at: new Date(),
});
const calls = {
  delete: () => deleteMessage(parts, requestOf('anna', 2), { sentOn: true, senderInformed: false }),
  confirm: () => confirmDeletion(parts, requestOf('bo', 3)),
  destroy: () => destroyDue(parts, new Date(Date.now() + 20 * 24 * 3_600_000)),
};
await calls[does]();
process.exit(); // it passed no such point
