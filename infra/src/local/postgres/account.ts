import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { clusterOf, postgresHomeOf } from '../../../../tools/local-state.mjs';

/** The system user that runs the server; undefined = the user of this process. */
export type Account = { readonly uid: number; readonly gid: number } | undefined;

const NAME = 'postgres';

/** PostgreSQL refuses to run as root: root uses the owner of the cluster, else the user `postgres`. Others use themselves. */
export function accountFor(stateDir: string): Account {
  const { cluster } = clusterOf(postgresHomeOf(stateDir));
  const owner = existsSync(cluster) ? statSync(cluster) : undefined;
  const self = process.getuid?.();
  if (self === 0) return owner ? { uid: owner.uid, gid: owner.gid } : postgresAccount();
  if (owner && owner.uid !== self) {
    throw new Error(
      `The database in ${cluster} belongs to another user (root?). Run this command as that user, or set STATE_DIR to another folder.`,
    );
  }
  return undefined;
}

function postgresAccount(): Account {
  const account = lookUp() ?? create();
  if (account === undefined) {
    throw new Error(
      `PostgreSQL does not run as root, and this system has no user "${NAME}", and neither useradd nor adduser could create it. Create it, or run this command as an ordinary user.`,
    );
  }
  return account;
}

function lookUp(): Account {
  const [uid, gid] = ['-u', '-g'].map((what) => spawnSync('id', [what, NAME], { encoding: 'utf8' }));
  return uid?.status === 0 && gid?.status === 0 ? { uid: Number(uid.stdout), gid: Number(gid.stdout) } : undefined;
}

function create(): Account {
  const options = '--system --user-group --no-create-home --home-dir /nonexistent --shell /bin/false'.split(' ');
  if (spawnSync('useradd', [...options, NAME]).status !== 0) {
    spawnSync('adduser', ['-S', '-D', '-H', NAME]); // BusyBox has only this one
  }
  return lookUp();
}
