import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HTTPError, cacheFile, downloadTool, find } from '@actions/tool-cache';
import { KnestError, messageOf } from '../errors.ts';
import type { DownloadInputs, WebFile } from '../inputs.ts';
import checksums from './checksums.json' with { type: 'json' };
import { assetKey, assetPath, releaseAssetAt, type ReleaseAsset } from './components.ts';

/** Where GitHub's own API tells the digest of each asset; not GHES, which does not hold these releases. */
const GITHUB_API = 'https://api.github.com';

/** What clusterctl's own `--from` takes for an address of GitHub: the page of a file. */
const GITHUB_PAGE = /^(https:\/\/github\.com\/[^/]+\/[^/]+)\/blob\//;

/** What to do when a release has no such asset. */
const NO_ASSET = 'check the version inputs: this release, or this file of it, does not exist';

/** Downloads release assets and lets none through whose bytes are not what they should be. */
export class Downloader {
  readonly #inputs: DownloadInputs;
  readonly #directory: string;
  readonly #warn: (text: string) => void;
  readonly #digests = new Map<string, Promise<ReadonlyMap<string, string>>>();
  readonly #sums = new Map<string, Promise<string | undefined>>();

  /** `directory` must be private: what is checked there must still be the same when it is used. */
  constructor(inputs: DownloadInputs, directory: string, warn: (text: string) => void) {
    this.#inputs = inputs;
    this.#directory = directory;
    this.#warn = warn;
  }

  /**
   * Downloads an asset to `path` below the private directory, and returns where it is.
   * Throws KNEST_DOWNLOAD, and KNEST_CHECKSUM when the bytes are wrong or nobody can say what would be right.
   */
  async file(asset: ReleaseAsset, path: string): Promise<string> {
    return this.#verified(this.#url(asset), path, { what: assetKey(asset), expected: await this.#expected(asset) });
  }

  /**
   * Downloads what the user names by its address to `path` below the private directory, and returns where it is. The
   * mirror stands for GitHub here too; an asset of a release needs no sum of the user's. Throws as `file` does.
   */
  async webFile({ url, sha256 }: WebFile, path: string): Promise<string> {
    const asset = releaseAssetAt(url);
    if (asset !== undefined && sha256 === undefined) return this.file(asset, path);
    if (sha256 === undefined) this.#warn(`${url} is used unverified: it has no #sha256= (checksum-policy: warn)`);
    const raw = url.replace(GITHUB_PAGE, '$1/raw/');
    const { mirror } = this.#inputs;
    const from = mirror === undefined ? raw : raw.replace(/^https:\/\/github\.com(?=\/)/, mirror);
    const whenMissing = 'check the address: there is no such file';
    return this.#verified(from, path, { what: url, expected: sha256, whenMissing });
  }

  /**
   * A program from the runner's tool cache, else downloaded into it. Hashed on every hit: a cache may be shared.
   * Returns the path of a private executable copy. Throws as `file` does.
   */
  async program(asset: ReleaseAsset, name: string): Promise<string> {
    const version = asset.tag.replace(/^v/, '');
    const cached = find(name, version);
    const program = join(this.#directory, name);
    // The private copy is what is hashed, and then run: the cache may change in between.
    const isCopied = cached !== '' && (await copied(join(cached, name), program));
    if (isCopied && (await this.#isReleased(asset, program))) return executable(program);
    const file = await this.file(asset, name);
    // Seeding the cache is a favour to the next job; a read-only cache must not fail this one.
    await cacheFile(file, name, name, version).catch((thrown: unknown) => {
      this.#warn(`${name} could not be kept in the tool cache: ${messageOf(thrown)}`);
    });
    return executable(file);
  }

  /** Whether a file out of the tool cache is the released one; if that cannot be told, it is not used. */
  async #isReleased(asset: ReleaseAsset, file: string): Promise<boolean> {
    const [expected, actual] = await Promise.all([this.#expected(asset), sha256(file)]);
    if (expected !== undefined && actual !== expected) {
      this.#warn(`${assetKey(asset)} in the tool cache is not what was released: downloading it again`);
    }
    return expected !== undefined && actual === expected;
  }

  #url(asset: ReleaseAsset): string {
    const root = this.#inputs.mirror ?? 'https://github.com';
    return `${root}/${assetPath(asset)}`;
  }

  /** Downloads to `path` below the private directory, whence what has another sum than the expected is taken again. */
  async #verified(
    url: string,
    path: string,
    { what, expected, whenMissing }: { what: string; expected: string | undefined; whenMissing?: string },
  ): Promise<string> {
    const target = join(this.#directory, path);
    await mkdir(dirname(target), { recursive: true });
    await rm(target, { force: true });
    await this.#fetch(url, target, whenMissing);
    const actual = await sha256(target);
    if (expected === undefined || expected === actual) return target;
    await rm(target);
    throw wrongSum(what, expected, actual);
  }

  async #fetch(url: string, target: string, whenMissing = NO_ASSET): Promise<void> {
    try {
      await downloadTool(url, target);
    } catch (thrown) {
      const missing = thrown instanceof HTTPError && thrown.httpStatusCode === 404;
      throw new KnestError({
        code: 'KNEST_DOWNLOAD',
        problem: `${url} cannot be downloaded: ${messageOf(thrown)}`,
        next: missing
          ? whenMissing
          : 'check that this runner can reach the address (HTTPS_PROXY, NO_PROXY), or set mirror',
        cause: thrown,
      });
    }
  }

  /** The sum an asset must have, found out once; undefined only when checksum-policy lets it through unverified. */
  #expected(asset: ReleaseAsset): Promise<string | undefined> {
    const key = assetKey(asset);
    const known = this.#sums.get(key) ?? this.#findSum(asset);
    this.#sums.set(key, known);
    return known;
  }

  async #findSum(asset: ReleaseAsset): Promise<string | undefined> {
    const known = (checksums as Readonly<Record<string, string>>)[assetKey(asset)];
    if (known !== undefined) return known;
    if (this.#inputs.checksumPolicy === 'mirror') return this.#publishedSum(asset);
    const digest = asset.inTree ? undefined : (await this.#releaseDigests(asset)).get(asset.name);
    if (digest !== undefined) return digest;
    if (this.#inputs.checksumPolicy === 'warn') {
      this.#warn(`${assetKey(asset)} is used unverified: no checksum is known (checksum-policy: warn)`);
      return undefined;
    }
    throw new KnestError({
      code: 'KNEST_CHECKSUM',
      problem: `there is no checksum to verify ${assetKey(asset)} by`,
      evidence: ['it is neither in the table of this action nor does its GitHub release tell a digest'],
      next: 'use a version from the README, set github-token if the API refused, end an address with #sha256= and its sum, or let it through with checksum-policy: warn',
    });
  }

  /** `<asset>.sha256` beside the asset on the mirror, in sha256sum's form. */
  async #publishedSum(asset: ReleaseAsset): Promise<string> {
    const file = join(this.#directory, 'sums', createHash('sha256').update(assetKey(asset)).digest('hex'));
    await rm(file, { force: true });
    await this.#fetch(`${this.#url(asset)}.sha256`, file);
    const sum = /^[0-9a-f]{64}/.exec(await readFile(file, 'utf8'))?.[0];
    if (sum !== undefined) return sum;
    throw new KnestError({
      code: 'KNEST_CHECKSUM',
      problem: `${this.#url(asset)}.sha256 does not begin with a sha256 sum`,
      next: 'write it with sha256sum, or set another checksum-policy',
    });
  }

  /** The digests GitHub computed of a release's assets; empty when it cannot be asked. One request a release. */
  #releaseDigests(asset: ReleaseAsset): Promise<ReadonlyMap<string, string>> {
    const url = `${GITHUB_API}/repos/${asset.repository}/releases/tags/${asset.tag}`;
    const known = this.#digests.get(url) ?? this.#askDigests(url);
    this.#digests.set(url, known);
    return known;
  }

  async #askDigests(url: string): Promise<ReadonlyMap<string, string>> {
    try {
      const token = this.#inputs.githubToken;
      const response = await fetch(url, {
        headers: {
          Accept: 'application/vnd.github+json',
          ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        },
        signal: AbortSignal.timeout(10_000),
      });
      if (!response.ok) return new Map();
      const release = (await response.json()) as { assets?: readonly { name: string; digest?: string | null }[] };
      return new Map(
        (release.assets ?? []).flatMap(({ name, digest }) =>
          digest?.startsWith('sha256:') === true ? [[name, digest.slice('sha256:'.length)]] : [],
        ),
      );
    } catch {
      // No digest is no failure yet: the policy decides what becomes of an asset without one.
      return new Map();
    }
  }
}

function wrongSum(what: string, expected: string, actual: string): KnestError {
  return new KnestError({
    code: 'KNEST_CHECKSUM',
    problem: `${what} is not what was released: its sha256 is wrong`,
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

async function sha256(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}
