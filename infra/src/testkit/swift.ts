import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isInstalled } from './installed.js';

// Debian's own; another one in PATH does not know the packages of Debian.
const PYTHON = '/usr/bin/python3';

/** Warns when it is false. */
export const HAS_SWIFT =
  (await isInstalled(PYTHON, ['--version'])) && (await succeeds(PYTHON, ['-c', 'import swift, eventlet']));
if (!HAS_SWIFT) {
  console.warn('OpenStack Swift is not installed (Debian package python3-swift): tests that need S3 are skipped.');
}

/** An S3 server on loopback: OpenStack Swift, with its s3api, in a folder of its own. */
export interface OwnSwift {
  /** Settings of a process that uses it. */
  readonly settings: {
    readonly AWS_ENDPOINT_URL_S3: string;
    readonly AWS_REGION: string;
    readonly AWS_ACCESS_KEY_ID: string;
    readonly AWS_SECRET_ACCESS_KEY: string;
  };
  /** The keys of a user without any right. */
  readonly stranger: { readonly AWS_ACCESS_KEY_ID: string; readonly AWS_SECRET_ACCESS_KEY: string };
  /** `s3://bucket`, of a bucket that is there. */
  readonly bucketUrl: string;
  readonly folder: string;
  /** Starts it again after `kill`, on the same ports. */
  start(): Promise<void>;
  /** SIGKILL, as in a crash. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

/** @param parent where its folder is created; its file system must have extended attributes */
export async function startOwnSwift(parent = tmpdir()): Promise<OwnSwift> {
  const folder = await mkdtemp(join(parent, 'indbakke-swift-'));
  let server: ChildProcess | undefined;
  let ports: readonly number[] = [0, 0, 0, 0];
  const start = async () => {
    const started = spawn(PYTHON, ['-c', SCRIPT, folder, ...ports.map(String)], { stdio: ['pipe', 'pipe', 'pipe'] });
    server = started;
    ports = await portsOf(started);
  };
  const kill = async () => {
    if (!server) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
    server = undefined;
  };
  await start();
  return {
    settings: {
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${ports[0]}`,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test:tester',
      AWS_SECRET_ACCESS_KEY: 'testing',
    },
    stranger: { AWS_ACCESS_KEY_ID: 'test:stranger', AWS_SECRET_ACCESS_KEY: 'stranger' },
    bucketUrl: 's3://content',
    folder,
    start,
    kill,
    async close() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    spawn(program, args, { stdio: 'ignore' })
      .once('exit', (status) => resolve(status === 0))
      .once('error', () => resolve(false));
  });
}

/** Of proxy, account, container and object server. */
async function portsOf({ stdout, stderr }: ChildProcess): Promise<number[]> {
  const said: string[] = [];
  stderr?.on('data', (text) => said.push(String(text)));
  for await (const line of createInterface({ input: stdout as NodeJS.ReadableStream })) {
    if (!line.startsWith('ports ')) continue;
    stdout?.resume();
    return line.split(' ').slice(1).map(Number);
  }
  throw new Error(`Swift did not start: ${said.join('')}`);
}

/**
 * The four servers of Swift in one process, with one replica of all. Its memcached is a dictionary. It ends with the process that
 * started it, whose end closes its standard input.
 */
const SCRIPT = `
import os, sys, time
import eventlet
eventlet.monkey_patch()
from eventlet import wsgi
from array import array

folder, ports = sys.argv[1], [int(port) for port in sys.argv[2:6]]
os.makedirs(folder + '/devices/d1', exist_ok=True)
open(folder + '/swift.conf', 'w').write('[swift-hash]\\nswift_hash_path_suffix = indbakke\\n')
from swift.common.utils import set_swift_dir
set_swift_dir(folder)
from swift.common.ring.ring import RingData
from swift.common.wsgi import loadapp

sockets = [eventlet.listen(('127.0.0.1', port), backlog=512, reuse_port=False) for port in ports]
ports = [socket.getsockname()[1] for socket in sockets]

def ring(name, port):
    device = {'id': 0, 'region': 1, 'zone': 1, 'ip': '127.0.0.1', 'port': port, 'device': 'd1', 'weight': 1.0,
        'replication_ip': '127.0.0.1', 'replication_port': port, 'meta': ''}
    RingData([array('H', [0] * 4)], [device], 30).save(folder + '/' + name + '.ring.gz')

for name, port in zip(('account', 'container', 'object'), ports[1:]):
    ring(name, port)

common = '''
[DEFAULT]
swift_dir = %(folder)s
devices = %(folder)s/devices
mount_check = false
fallocate_reserve = 0
disable_fallocate = true
log_level = ERROR
''' % {'folder': folder}
proxy = '''
[pipeline:main]
pipeline = catch_errors gatekeeper listing_formats s3api tempauth slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
max_bucket_listing = 100
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
user_test_stranger = stranger
[filter:slo]
use = egg:swift#slo
'''

def app(name, text):
    path = folder + '/' + name + '.conf'
    open(path, 'w').write(common + text)
    return loadapp(path)

class Cache:
    def __init__(self):
        self.values = {}
    def get(self, key, raise_on_error=False):
        until, value = self.values.get(key, (0, None))
        return value if until > time.time() else None
    def set(self, key, value, serialize=True, time=0, min_compress_len=0, raise_on_error=False):
        self.values[key] = (globals()['time'].time() + (time or 3600), value)
    def delete(self, key, server_key=None):
        self.values.pop(key, None)
    def incr(self, key, delta=1, time=0):
        value = (self.get(key) or 0) + delta
        self.set(key, value, time=time)
        return value

cache = Cache()
front = app('proxy', proxy)
def cached(environ, start_response):
    environ['swift.cache'] = cache
    answer = front(environ, start_response)
    if environ['REQUEST_METHOD'] != 'HEAD':
        return answer
    for _ in answer: # its errors have bodies, which eventlet would send
        pass
    return []

apps = [cached] + [app(name, '[pipeline:main]\\npipeline = %s-server\\n[app:%s-server]\\nuse = egg:swift#%s\\n' % (name, name, name))
    for name in ('account', 'container', 'object')]
quiet = open(os.devnull, 'w')
from swift.common.http_protocol import SwiftHttpProtocol
for socket, each in zip(sockets, apps):
    eventlet.spawn(wsgi.server, socket, each, quiet, protocol=SwiftHttpProtocol, max_size=1024, log_output=False, keepalive=True)

def request(method, path, headers):
    import http.client
    connection = http.client.HTTPConnection('127.0.0.1', ports[0])
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer

token = request('GET', '/auth/v1.0', {'X-Auth-User': 'test:tester', 'X-Auth-Key': 'testing'}).getheader('X-Auth-Token')
made = request('PUT', '/v1/AUTH_test/content', {'X-Auth-Token': token})
assert made.status in (201, 202), made.status
print('ports', *ports, flush=True)
eventlet.tpool.execute(sys.stdin.read)
os._exit(0)
`;
