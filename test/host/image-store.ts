import { spawn } from 'node:child_process';
import { once as event } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory, key, once } from './binaries.ts';
import { locked } from './lock.ts';
import { run, tail, until } from './process.ts';

const minute = 60_000;
const stores = join(cacheDirectory, 'image-stores');
/** Stores, each of 1 to 3 GB: all tests use about six, and each change of an image makes another. */
const KEPT = 12;
/** What a containerd that only unpacks images does without. */
const CONFIG = 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]\n';

/**
 * Returns a directory of the cache in which containerd has imported and unpacked these archives: what `link-images` has
 * another containerd start from. It is made once, since every host and every machine would spend seconds on the same.
 */
export async function imageStore(archives: readonly string[]): Promise<string> {
  const source = readFileSync(import.meta.filename);
  const directory = join(stores, key(source, await run('containerd', ['--version']), ...archives));
  await locked(`${stores}.lock`, waiting, async () => {
    await once(directory, (root) => unpackAll(root, archives));
    const now = new Date();
    utimesSync(directory, now, now);
    removeUnused();
  });
  return directory;
}

/** Nobody has to hear that another process makes a store: it takes half a minute. */
const waiting = (): void => undefined;

/** Removes all but the stores that hosts started from last, and what interrupted runs left. */
function removeUnused(): void {
  const lastUse = (store: string): number => statSync(store).mtimeMs;
  const byLastUse = readdirSync(stores)
    .map((name) => join(stores, name))
    .sort((one, other) => lastUse(other) - lastUse(one));
  for (const store of byLastUse.slice(KEPT)) rmSync(store, { recursive: true, force: true });
}

/** Starts containerd in a separate mount namespace, imports all archives below `root`, and ends it. */
async function unpackAll(root: string, archives: readonly string[]): Promise<void> {
  const state = mkdtempSync(join(tmpdir(), 'knest-images-'));
  const socket = join(state, 'containerd.sock');
  const ctr = (args: readonly string[]): Promise<string> =>
    run('ctr', [`--address=${socket}`, '--namespace=k8s.io', ...args], { timeout: 2 * minute });
  const config = join(state, 'config.toml');
  writeFileSync(config, CONFIG);
  const options = [`--config=${config}`, `--root=${root}`, `--state=${state}`, `--address=${socket}`];
  // It ends with this process, however that ends.
  const command = ['--mount', 'setpriv', '--pdeathsig=TERM', 'containerd', ...options];
  const daemon = spawn('unshare', command, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  daemon.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = event(daemon, 'close');
  try {
    await until('containerd', minute, () => {
      if (daemon.exitCode !== null) throw new Error(`containerd ended with ${daemon.exitCode}`);
      return ctr(['version']).then(
        () => true,
        () => false,
      );
    });
    for (const file of archives) await ctr(['images', 'import', file]);
  } catch (thrown) {
    throw new Error(`the images cannot be unpacked; the end of containerd's log:\n${tail(log, 10)}`, { cause: thrown });
  } finally {
    daemon.kill('SIGTERM');
    await ended;
    rmSync(state, { recursive: true, force: true });
  }
}
