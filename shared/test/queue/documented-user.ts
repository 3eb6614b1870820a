import { readFileSync } from 'node:fs';

/** The user that docs/queue.md tells operators to make, as ACL SETUSER and redis.conf take it. */
export function documentedUser(): string {
  const docs = readFileSync(new URL('../../../docs/queue.md', import.meta.url), 'utf8');
  const [, user] = /^user (.+)$/m.exec(docs.replaceAll('\\\n', ' ')) ?? [];
  if (user === undefined) throw new Error('docs/queue.md has no user.');
  return user.replaceAll(/\s+/g, ' ');
}
