import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

// Other people's readers of zips, which are strict in different ways.

export type Files = Map<string, Buffer>;

export interface ZipReader {
  readonly name: string;
  /** False when it is not installed. */
  readonly here: boolean;
  /** The files of the zip at this path, verified; it may unpack them into `folder`, which does not exist yet. */
  unpack(path: string, folder: string): Promise<Files>;
  /** Names and sizes in the directory of a zip whose contents need not be there; without it, it only reads streams. */
  list?(path: string): Promise<[name: string, size: number][]>;
}

const execute = promisify(execFile);
const ENV = { ...process.env, LC_ALL: 'C.UTF-8' };

async function run(program: string, args: string[], stdin?: string): Promise<string> {
  const running = execute(program, args, { env: ENV, maxBuffer: 2 ** 28 });
  if (stdin) createReadStream(stdin).pipe(running.child.stdin as NodeJS.WritableStream);
  return (await running).stdout;
}

/** Whether a program is installed; if not, says which tests are skipped. */
async function has(reader: string, debianPackage: string, program: string, ...args: string[]): Promise<boolean> {
  const here = await run(program, args).then(
    () => true,
    () => false,
  );
  if (!here) console.warn(`${reader} (Debian package ${debianPackage}) is not installed: zips are not read with it.`);
  return here;
}

async function readTree(root: string): Promise<Files> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files: Files = new Map();
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(root.length + 1), await readFile(path));
  }
  return files;
}

const lines = (text: string) => text.split('\n').filter((line) => line !== '');

const JAVA = fileURLToPath(new URL('./ZipStream.java', import.meta.url));

const PYTHON_UNPACK = `import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    assert z.testzip() is None
    z.extractall(sys.argv[2])`;
const PYTHON_LIST = `import sys, zipfile
for i in zipfile.ZipFile(sys.argv[1]).infolist(): print(i.file_size, i.filename)`;

/** `12 name` */
function sizeAndName(line: string): [string, number] {
  const space = line.indexOf(' ');
  return [line.slice(space + 1), Number(line.slice(0, space))];
}

export const ZIP_READERS: readonly ZipReader[] = [
  {
    name: 'unzip',
    here: await has('unzip', 'unzip', 'unzip', '-v'),
    async unpack(path, folder) {
      await run('unzip', ['-tqq', path]); // the checksums
      await run('unzip', ['-qq', path, '-d', folder]);
      return readTree(folder);
    },
    async list(path) {
      const names = lines(await run('unzip', ['-Z', '-1', path]));
      const sizes = lines(await run('unzip', ['-Z', '-s', '-h', '-t', path])).slice(2, -1);
      return names.map((name, at) => [name, Number(sizes[at]?.split(/\s+/)[3])]);
    },
  },
  {
    name: '7z',
    here: await has('7z', 'p7zip-full', '7z', 'i'),
    async unpack(path, folder) {
      await run('7z', ['t', path]);
      await run('7z', ['x', `-o${folder}`, path]);
      return readTree(folder);
    },
    async list(path) {
      const text = await run('7z', ['l', '-slt', '-ba', path]);
      return [...text.matchAll(/^Path = (.*)$\s^Folder = .*$\s^Size = (\d+)$/gm)].map(([, name, size]) => [
        `${name}`,
        Number(size),
      ]);
    },
  },
  {
    name: 'Python',
    here: await has('Python', 'python3', 'python3', '-c', 'import zipfile'),
    async unpack(path, folder) {
      await run('python3', ['-c', PYTHON_UNPACK, path, folder]);
      return readTree(folder);
    },
    list: async (path) => lines(await run('python3', ['-c', PYTHON_LIST, path])).map(sizeAndName),
  },
  {
    name: 'libarchive, from a pipe',
    here: await has('bsdtar', 'libarchive-tools', 'bsdtar', '--version'),
    async unpack(path, folder) {
      await run('mkdir', [folder]);
      await run('bsdtar', ['-x', '-f', '-', '-C', folder], path);
      return readTree(folder);
    },
  },
  {
    name: 'Java, from a pipe',
    here: await has('Java', 'default-jdk-headless', 'javac', '-version'),
    async unpack(path) {
      const decoded = (text = '') => Buffer.from(text, 'base64');
      return new Map(
        lines(await run('java', ['-XX:TieredStopAtLevel=1', JAVA], path)).map((line) => {
          const [name, content] = line.split(' ');
          return [decoded(name).toString(), decoded(content)];
        }),
      );
    },
  },
];
