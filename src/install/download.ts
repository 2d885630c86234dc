import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheFile, find } from '@actions/tool-cache';
import { assetKey, releaseAssetAt, type ReleaseAsset } from '../catalog/release-asset.ts';
import { KnestError, messageOf } from '../errors.ts';
import { GITHUB_API, tokenFor } from '../github/api.ts';
import type { DownloadInputs, WebFile } from '../inputs.ts';
import { shownAddress } from '../values/url-credentials.ts';
import { Web } from '../web.ts';
import { adviceOnMissing, type Origin } from './download/advice.ts';
import { AssetSource } from './download/asset-source.ts';
import { AssetSums } from './download/asset-sums.ts';
import { ReleaseDigests } from './download/digests.ts';

/** What downloading needs from outside. */
export interface DownloadRuntime {
  readonly env: NodeJS.ProcessEnv;
  /** A private directory: what is checked there must still be the same when it is used. */
  readonly directory: string;
  /** Ends every download. */
  readonly signal: AbortSignal;
  readonly warn: (text: string) => void;
}

/** Downloads release assets and lets none through whose bytes are not what they should be. */
export class Downloader {
  readonly #inputs: DownloadInputs;
  readonly #runtime: DownloadRuntime;
  readonly #source: AssetSource;
  readonly #sums: AssetSums;

  constructor(inputs: DownloadInputs, runtime: DownloadRuntime, web = Web.by(runtime.env, runtime.signal)) {
    this.#inputs = inputs;
    this.#runtime = runtime;
    this.#source = new AssetSource(inputs, web);
    const digests = new ReleaseDigests(web, tokenFor(GITHUB_API, inputs.githubToken, runtime.env));
    this.#sums = new AssetSums(inputs, { source: this.#source, digests, warn: runtime.warn });
  }

  /**
   * The SHA-256 that an asset must have; undefined when it may be used unverified. Throws KNEST_CHECKSUM when it
   * is unknown, and KNEST_DOWNLOAD.
   */
  sumOf(asset: ReleaseAsset, origin = originOf(asset)): Promise<string | undefined> {
    return this.#sums.find(asset, origin);
  }

  /**
   * Downloads an asset to `path` below the private directory, and returns where it is.
   * `origin`: who chose it. Throws KNEST_DOWNLOAD, and KNEST_CHECKSUM when the bytes are wrong, or the right
   * checksum is unknown.
   */
  async file(asset: ReleaseAsset, path: string, origin = originOf(asset)): Promise<string> {
    const whenMissing = adviceOnMissing(origin, this.#inputs.mirror !== undefined);
    const expected = await this.sumOf(asset, origin);
    return this.#verified(this.#source.addressOf(asset), path, { what: assetKey(asset), expected, whenMissing });
  }

  /**
   * Downloads what the user names by its address to `path` below the private directory, and returns where it is. The
   * mirror stands for GitHub here too; an asset of a release needs no sum of the user's. Throws as `file` does.
   */
  async webFile({ url, sha256 }: WebFile, path: string): Promise<string> {
    const asset = releaseAssetAt(url);
    if (asset !== undefined && sha256 === undefined) return this.file(asset, path, 'address');
    if (sha256 === undefined)
      this.#runtime.warn(`${shownAddress(url)} is used unverified: it has no #sha256= (checksum-policy: warn)`);
    const from = this.#source.addressFor(url);
    const whenMissing = adviceOnMissing('address', this.#source.isOnMirror(from));
    return this.#verified(from, path, { what: shownAddress(url), expected: sha256, whenMissing });
  }

  /**
   * A program from the runner's tool cache, else downloaded into it. Hashed on every hit: a cache may be shared.
   * Returns the path of a private executable copy. Throws as `file` does.
   */
  async program(asset: ReleaseAsset, name: string): Promise<string> {
    const version = asset.tag.replace(/^v/, '');
    const cached = this.#cached(name, version);
    const program = join(this.#runtime.directory, name);
    // The private copy is what is hashed, and then run: the cache may change in between.
    const isCopied = cached !== undefined && cached !== '' && (await copied(join(cached, name), program));
    if (isCopied && (await this.#isReleased(asset, program))) return executable(program);
    const file = await this.file(asset, name);
    // Seeding the cache is a favour to the next job; a read-only cache must not fail this one.
    if (cached !== undefined)
      await cacheFile(file, name, name, version).catch((thrown: unknown) => {
        this.#runtime.warn(`${name} could not be saved in the tool cache: ${messageOf(thrown)}`);
      });
    return executable(file);
  }

  /** Where the tool cache has a program; blank when it has none, undefined on a runner without a tool cache. */
  #cached(name: string, version: string): string | undefined {
    try {
      return find(name, version);
    } catch (thrown) {
      this.#runtime.warn(
        `the tool cache of this runner cannot be used, so ${name} is downloaded: ${messageOf(thrown)}`,
      );
      return undefined;
    }
  }

  /** Whether a file of the tool cache is the released one. A file that cannot be verified is not used. */
  async #isReleased(asset: ReleaseAsset, file: string): Promise<boolean> {
    const [expected, actual] = await Promise.all([this.sumOf(asset), sha256(file)]);
    if (expected !== undefined && actual !== expected) {
      this.#runtime.warn(`${assetKey(asset)} in the tool cache does not match its checksum; downloading it again`);
    }
    return expected !== undefined && actual === expected;
  }

  /** Downloads to `path` below the private directory, and removes the file when its sum is not the expected one. */
  async #verified(
    url: string,
    path: string,
    { what, expected, whenMissing }: { what: string; expected: string | undefined; whenMissing: string },
  ): Promise<string> {
    const target = join(this.#runtime.directory, path);
    await mkdir(dirname(target), { recursive: true });
    await rm(target, { force: true });
    await this.#source.download(url, target, whenMissing);
    const actual = await sha256(target);
    if (expected === undefined || expected === actual) return target;
    await rm(target);
    throw wrongSum(what, expected, actual);
  }
}

/** Who chose an asset where no address of the user's did: the files of trees are those that this action names. */
function originOf({ inTree }: ReleaseAsset): Origin {
  return inTree ? 'action' : 'versions';
}

function wrongSum(what: string, expected: string, actual: string): KnestError {
  return new KnestError({
    code: 'KNEST_CHECKSUM',
    problem: `${what} does not match its checksum`,
    evidence: [`expected ${expected}`, `received ${actual}`],
    next: 'do not use it; check the mirror or proxy that it came through',
  });
}

/** Whether there was something to copy: a cache may have lost a file and kept its mark. */
async function copied(from: string, to: string): Promise<boolean> {
  await mkdir(dirname(to), { recursive: true });
  return copyFile(from, to).then(
    () => true,
    () => false,
  );
}

async function executable(path: string): Promise<string> {
  await chmod(path, 0o700);
  return path;
}

/** The SHA-256 of a file, in hexadecimal. */
export async function sha256(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}
