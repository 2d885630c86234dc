import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheFile, find } from '@actions/tool-cache';
import { KnestError, messageOf, runnerProblem } from '../errors.ts';
import { GITHUB_API, tokenFor } from '../github/api.ts';
import type { DownloadInputs, WebFile } from '../inputs.ts';
import { basicAuthorization, shownAddress } from '../values/url-credentials.ts';
import { describeWebProblem, Web, type WebRequest } from '../web.ts';
import { ADVICE_ON_MISSING_SUM, adviceOnDownload, adviceOnMissing, type Origin } from './advice.ts';
import checksums from './checksums.json' with { type: 'json' };
import { assetKey, assetPath, releaseAssetAt, type ReleaseAsset } from '../catalog/release-asset.ts';
import { ReleaseDigests, type Digest } from './digests.ts';
import { readSums, type Sums } from './sums.ts';

const GITHUB = 'https://github.com';
/** What clusterctl's own `--from` takes for an address of GitHub: the page of a file. */
const GITHUB_PAGE = /^(https:\/\/github\.com\/[^/]+\/[^/]+)\/blob\//;

/** The sums that this action knows: of the default versions. */
const TABLE: Readonly<Record<string, string>> = checksums;

/** Of a file in the tree of a repository, GitHub has no digest. */
const NO_DIGEST: Digest = {
  problem: 'it is not an asset of a release: GitHub has no SHA-256 of it',
  next: 'add its sum to checksums-file, or accept it unverified with checksum-policy: warn',
};

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
  readonly #web: Web;
  readonly #digests: ReleaseDigests;
  readonly #sums = new Map<string, Promise<string | undefined>>();
  #given: Promise<Sums> | undefined;

  constructor(inputs: DownloadInputs, runtime: DownloadRuntime, web = Web.by(runtime.env, runtime.signal)) {
    this.#inputs = inputs;
    this.#runtime = runtime;
    this.#web = web;
    this.#digests = new ReleaseDigests(web, tokenFor(GITHUB_API, inputs.githubToken, runtime.env));
  }

  /**
   * Downloads an asset to `path` below the private directory, and returns where it is.
   * `origin`: who chose it. Throws KNEST_DOWNLOAD, and KNEST_CHECKSUM when the bytes are wrong or nobody can say what
   * would be right.
   */
  async file(asset: ReleaseAsset, path: string, origin = originOf(asset)): Promise<string> {
    const whenMissing = adviceOnMissing(origin, this.#inputs.mirror !== undefined);
    const expected = await this.#expected(asset, origin);
    return this.#verified(this.#url(asset), path, { what: assetKey(asset), expected, whenMissing });
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
    const raw = url.replace(GITHUB_PAGE, '$1/raw/');
    const { mirror } = this.#inputs;
    const from = mirror === undefined || !isAt(GITHUB, raw) ? raw : `${mirror}${raw.slice(GITHUB.length)}`;
    const whenMissing = adviceOnMissing('address', this.#isOnMirror(from));
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
        this.#runtime.warn(`${name} could not be kept in the tool cache: ${messageOf(thrown)}`);
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
    const [expected, actual] = await Promise.all([this.#expected(asset), sha256(file)]);
    if (expected !== undefined && actual !== expected) {
      this.#runtime.warn(`${assetKey(asset)} in the tool cache is not what was released: downloading it again`);
    }
    return expected !== undefined && actual === expected;
  }

  #url(asset: ReleaseAsset): string {
    return `${this.#inputs.mirror ?? GITHUB}/${assetPath(asset)}`;
  }

  #isOnMirror(url: string): boolean {
    return this.#inputs.mirror !== undefined && isAt(this.#inputs.mirror, url);
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
    await this.#ask(url, whenMissing, (request) => this.#web.download(request, target));
    const actual = await sha256(target);
    if (expected === undefined || expected === actual) return target;
    await rm(target);
    throw wrongSum(what, expected, actual);
  }

  /** Asks for what is at an address, with the login of the mirror if it is there. Throws KNEST_DOWNLOAD. */
  async #ask<T>(url: string, whenMissing: string, ask: (request: WebRequest) => Promise<T>): Promise<T> {
    const { mirror, mirrorLogin } = this.#inputs;
    const isOnMirror = this.#isOnMirror(url);
    const login = isOnMirror && mirrorLogin !== undefined && basicAuthorization(mirrorLogin);
    try {
      return await ask({ url, ...(login && { authorization: login }) });
    } catch (thrown) {
      const problem = thrown instanceof KnestError ? thrown : runnerProblem(thrown);
      if (problem !== undefined) throw problem;
      const place = { isOnGithub: isAt(GITHUB, url), isOnMirror, hasMirror: mirror !== undefined, whenMissing };
      throw new KnestError({
        code: 'KNEST_DOWNLOAD',
        problem: `${shownAddress(url)} cannot be downloaded: ${describeWebProblem(thrown)}`,
        next: adviceOnDownload(thrown, place),
        cause: thrown,
      });
    }
  }

  /** The sum an asset must have, found out once; undefined only when checksum-policy lets it through unverified. */
  #expected(asset: ReleaseAsset, origin = originOf(asset)): Promise<string | undefined> {
    const key = assetKey(asset);
    const known = this.#sums.get(key) ?? this.#findSum(asset, origin);
    this.#sums.set(key, known);
    return known;
  }

  async #findSum(asset: ReleaseAsset, origin: Origin): Promise<string | undefined> {
    const known = (await this.#givenSums()).get(assetPath(asset)) ?? TABLE[assetKey(asset)];
    if (known !== undefined) return known;
    if (this.#inputs.checksumPolicy === 'mirror') return this.#publishedSum(asset);
    const digest = asset.inTree ? NO_DIGEST : await this.#digests.find(asset);
    if ('sum' in digest) return digest.sum;
    if (this.#inputs.checksumPolicy === 'warn') {
      this.#runtime.warn(`${assetKey(asset)} is used unverified: ${digest.problem} (checksum-policy: warn)`);
      return undefined;
    }
    throw new KnestError({
      code: 'KNEST_CHECKSUM',
      problem: `no known checksum for ${assetKey(asset)}`,
      evidence: [digest.problem],
      next: digest.next ?? adviceOnMissing(origin, false),
    });
  }

  #givenSums(): Promise<Sums> {
    const { checksumsFile } = this.#inputs;
    this.#given ??= checksumsFile === undefined ? Promise.resolve(new Map()) : readSums(checksumsFile);
    return this.#given;
  }

  /** `<asset>.sha256` beside the asset on the mirror, in sha256sum's form. */
  async #publishedSum(asset: ReleaseAsset): Promise<string> {
    const text = await this.#ask(`${this.#url(asset)}.sha256`, ADVICE_ON_MISSING_SUM, (request) =>
      this.#web.text(request),
    );
    const sum = /^[0-9a-f]{64}/.exec(text)?.[0];
    if (sum !== undefined) return sum;
    throw new KnestError({
      code: 'KNEST_CHECKSUM',
      problem: `${this.#url(asset)}.sha256 does not begin with a sha256 sum`,
      next: 'write it with sha256sum, or set another checksum-policy',
    });
  }
}

/** Who chose an asset where no address of the user's did: the files of trees are those that this action names. */
function originOf({ inTree }: ReleaseAsset): Origin {
  return inTree ? 'action' : 'versions';
}

function isAt(root: string, url: string): boolean {
  return url.startsWith(`${root}/`);
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
