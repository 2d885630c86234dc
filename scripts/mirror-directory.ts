import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { assetPath, type ReleaseAsset } from '../src/catalog/release-asset.ts';
import { KnestError, toKnestError } from '../src/errors.ts';
import type { DownloadInputs } from '../src/inputs.ts';
import { Downloader, sha256 } from '../src/install/download.ts';
import { readSums } from '../src/install/download/sums.ts';
import { Web, WebError } from '../src/web.ts';

/** The file in the root of a mirror that `checksums-file` takes. */
export const SUMS_FILE = 'knest.sha256';
/** How the directory of files begins that are not verified yet. */
const INCOMING = '.incoming-';

/** What filling a directory needs. */
export interface MirrorRun {
  /** Where the files come from, and how they are verified. */
  readonly inputs: DownloadInputs;
  readonly env: NodeJS.ProcessEnv;
  /** Ends every download. */
  readonly signal: AbortSignal;
  /** Gets a line for each file, and warnings. */
  readonly print: (line: string) => void;
  /** Gets the reason for each file that is not there in the end. */
  readonly fail: (path: string, error: KnestError) => void;
  /** Sends the requests; undefined for the proxies of `env`. */
  readonly web?: Web;
}

/** How many files were fetched, were there before, could not be fetched, and were not tried. */
export interface MirrorTally {
  readonly fetched: number;
  readonly present: number;
  readonly failed: number;
  readonly untried: number;
}

/**
 * Fetches the assets into a directory, under the paths that they have on GitHub, with the sum of each beside it and all
 * sums in one file. Files with the right sum stay. A file is verified before it is there. Goes on after a problem of
 * one file, and ends at one that all others would meet. Throws KNEST_INPUT, KNEST_RUNNER, KNEST_CANCELLED.
 */
export async function fillMirror(
  assets: readonly ReleaseAsset[],
  directory: string,
  run: MirrorRun,
): Promise<MirrorTally> {
  await mkdir(directory, { recursive: true });
  const mirror = await MirrorDirectory.open(directory);
  const warn = (text: string): void => run.print(`warning  ${text}`);
  const web = run.web ?? Web.by(run.env, run.signal);
  // Of a run that was killed.
  for (const left of await readdir(directory)) {
    if (left.startsWith(INCOMING)) await rm(join(directory, left), { recursive: true, force: true });
  }
  // Below the directory: a file is renamed into its place, which works within one file system only.
  const incoming = await mkdtemp(join(directory, INCOMING));
  const runtime = { env: run.env, directory: incoming, signal: run.signal, warn };
  const downloader = new Downloader(run.inputs, runtime, web);
  const tally = { fetched: 0, present: 0, failed: 0, untried: assets.length };
  try {
    // One at a time: clusterctl alone is 70 MB for each platform.
    for (const asset of assets) {
      tally.untried--;
      try {
        const state = await mirror.take(asset, downloader);
        tally[state]++;
        run.print(`${state}  ${assetPath(asset)}`);
      } catch (thrown) {
        if (run.signal.aborted) throw thrown;
        tally.failed++;
        run.fail(assetPath(asset), toKnestError(thrown));
        if (!isAboutOneFile(thrown)) return tally;
      }
    }
    return tally;
  } finally {
    await rm(incoming, { recursive: true, force: true });
    await mirror.writeSums();
  }
}

/** Whether other files may be fetched all the same: GitHub or the mirror answered, and has something else or nothing. */
function isAboutOneFile(thrown: unknown): boolean {
  if (!(thrown instanceof KnestError) || !['KNEST_CHECKSUM', 'KNEST_DOWNLOAD'].includes(thrown.code)) return false;
  const { cause } = thrown;
  return cause === undefined || (cause instanceof WebError && [404, 410].includes(cause.status));
}

/** A directory that a web server can serve as a mirror. */
class MirrorDirectory {
  readonly #root: string;
  /** The sum of each file that is there, by its path. */
  readonly #sums: Map<string, string>;

  private constructor(root: string, sums: Map<string, string>) {
    this.#root = root;
    this.#sums = sums;
  }

  /** Opens the directory of an earlier run, or an empty one. Throws KNEST_INPUT when its file of sums is malformed. */
  static async open(root: string): Promise<MirrorDirectory> {
    const file = join(root, SUMS_FILE);
    if (!existsSync(file)) return new MirrorDirectory(root, new Map());
    const sums = await readSums(file).catch((thrown: unknown) => {
      throw new KnestError({
        code: 'KNEST_INPUT',
        problem: `${file} cannot be read; nothing was fetched`,
        evidence: thrown instanceof KnestError ? thrown.evidence : [],
        next: `remove ${file}: it is written again`,
      });
    });
    return new MirrorDirectory(root, new Map([...sums].filter(([path]) => existsSync(join(root, path)))));
  }

  /** Makes sure that an asset is there with the right sum. Throws as Downloader does. */
  async take(asset: ReleaseAsset, downloader: Downloader): Promise<'fetched' | 'present'> {
    const path = assetPath(asset);
    const file = join(this.#root, path);
    const recorded = this.#sums.get(path);
    const expected = await downloader.sumOf(asset);
    const actual = existsSync(file) ? await sha256(file) : undefined;
    // What is let through unverified stays what it was when it was fetched.
    const isPresent = actual !== undefined && actual === (expected ?? recorded);
    if (!isPresent) await this.#fetch(asset, downloader);
    const sum = isPresent ? actual : (expected ?? (await sha256(file)));
    await this.#put(`${path}.sha256`, `${sum}  ${path.slice(path.lastIndexOf('/') + 1)}\n`);
    this.#sums.set(path, sum);
    return isPresent ? 'present' : 'fetched';
  }

  /** Writes the sums of all that is there, in the order of their paths; no file when nothing is. */
  async writeSums(): Promise<void> {
    if (this.#sums.size === 0) return rm(join(this.#root, SUMS_FILE), { force: true });
    const lines = [...this.#sums].sort(([one], [other]) => (one < other ? -1 : 1));
    await this.#put(SUMS_FILE, lines.map(([path, sum]) => `${sum}  ${path}\n`).join(''));
  }

  async #fetch(asset: ReleaseAsset, downloader: Downloader): Promise<void> {
    const file = join(this.#root, assetPath(asset));
    // A mirror does not serve what is known to be wrong, also when this fails.
    this.#sums.delete(assetPath(asset));
    for (const stale of [`${file}.sha256`, file]) await rm(stale, { force: true });
    const verified = await downloader.file(asset, 'asset');
    await chmod(verified, 0o644); // a web server is another user
    await mkdir(dirname(file), { recursive: true });
    await rename(verified, file);
  }

  /** Writes a small file, unless it is there already. */
  async #put(path: string, text: string): Promise<void> {
    const file = join(this.#root, path);
    if (existsSync(file) && (await readFile(file, 'utf8')) === text) return;
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  }
}
