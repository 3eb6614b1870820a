import { describe, expect, it } from 'vitest';
import { judgeRedis } from '../../src/queue/on-redis.js';

// INFO of a server, shortened. A Redis of each kind is not to be had here.
const info = (fields: Readonly<Record<string, string>>) =>
  Object.entries({
    redis_version: '7.0.15',
    role: 'master',
    cluster_enabled: '0',
    maxmemory_policy: 'noeviction',
    ...fields,
  })
    .map(([name, value]) => `${name}:${value}`)
    .join('\r\n');

describe('INFO of a Redis', () => {
  it.each([
    ['that evicts nothing', {}],
    ['of the oldest version that is supported', { redis_version: '6.2.0' }],
    ['that is Valkey', { redis_version: '7.2.4', valkey_version: '8.0.1' }],
  ])('%s is ready', (_, fields) => {
    expect(() => judgeRedis(info(fields))).not.toThrow();
  });

  it.each([
    ['may-evict', { maxmemory_policy: 'allkeys-lru' }],
    ['may-evict', { maxmemory_policy: 'volatile-ttl' }],
    ['too-old', { redis_version: '6.0.16' }],
    ['too-old', { redis_version: '5.0.14' }],
    ['cluster', { cluster_enabled: '1' }],
    ['read-only', { role: 'slave' }],
  ])('is %s: %j', (reason, fields) => {
    expect(() => judgeRedis(info(fields))).toThrow(reason);
  });

  it('of a Cluster is ready where one is expected', () => {
    expect(() => judgeRedis(info({ cluster_enabled: '1' }), 'cluster')).not.toThrow();
  });

  it('that is forbidden leaves it unknown', () => {
    expect(() => judgeRedis('')).toThrow('eviction-unknown');
  });
});
