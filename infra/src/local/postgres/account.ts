import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { clusterOf, postgresHomeOf } from '../../../../tools/local-state.mjs';

/** The operating system's user that runs the server; undefined: this process's own. */
export type Account = { readonly uid: number; readonly gid: number } | undefined;

const NAME = 'postgres';

/** Root, as whom PostgreSQL refuses to run: the owner of the existing cluster, else the user `postgres`. Others: themselves. */
export function accountFor(stateDir: string): Account {
  const { cluster } = clusterOf(postgresHomeOf(stateDir));
  const owner = existsSync(cluster) ? statSync(cluster) : undefined;
  const self = process.getuid?.();
  if (self === 0) return owner ? { uid: owner.uid, gid: owner.gid } : postgresAccount();
  if (owner && owner.uid !== self) {
    throw new Error(
      `The database in ${cluster} was made by another user (root, perhaps). Run this command as that user, or give it a state folder of its own: STATE_DIR=<folder>.`,
    );
  }
  return undefined;
}

function postgresAccount(): Account {
  const account = lookUp() ?? create();
  if (account === undefined) {
    throw new Error(
      `PostgreSQL does not run as root, and this system has no user "${NAME}"; neither useradd nor adduser could make one. Make one, or run this command as an ordinary user.`,
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
    spawnSync('adduser', ['-S', '-D', '-H', NAME]); // BusyBox has this one only
  }
  return lookUp();
}
