import { GITHUB_API } from '../../github/api.ts';
import { describeWebProblem, WebError, type Web } from '../../web.ts';
import type { ReleaseAsset } from '../../catalog/release-asset.ts';

/** Why GitHub has no SHA-256 of an asset, and what to do about it; no advice when the asset does not exist. */
interface NoDigest {
  readonly problem: string;
  readonly next?: string;
  /** What kept GitHub from answering; undefined when it answered. */
  readonly cause?: unknown;
}

/** The SHA-256 that GitHub has of an asset, or why there is none. */
export type Digest = { readonly sum: string } | NoDigest;

/** Milliseconds for one release: a network without a way to GitHub may not even refuse the connection. */
const PATIENCE = 20_000;

/** The digests that GitHub computes of the assets of releases, one request a release. */
export class ReleaseDigests {
  readonly #web: Web;
  readonly #token: string | undefined;
  readonly #releases = new Map<string, Promise<Release>>();

  /** `token`: one of github.com; without one, GitHub answers 60 requests an hour. */
  constructor(web: Web, token: string | undefined) {
    this.#web = web;
    this.#token = token;
  }

  /** The digest of an asset. Rejects only when the time of the command is up. */
  async find({ repository, tag, name }: ReleaseAsset): Promise<Digest> {
    const url = `${GITHUB_API}/repos/${repository}/releases/tags/${tag}`;
    const release = this.#releases.get(url) ?? this.#ask(url, `there is no release ${tag} of ${repository}`);
    this.#releases.set(url, release);
    const found = await release;
    if ('problem' in found) return found;
    const asset = found.assets.find((one) => one.name === name);
    const next = 'add its sum to checksums-file, or accept it unverified with checksum-policy: warn';
    if (asset === undefined) return { problem: `release ${tag} of ${repository} has no asset ${name}` };
    const sum = /^sha256:([0-9a-f]{64})$/.exec(asset.digest ?? '')?.[1];
    return sum === undefined ? { problem: `GitHub has no SHA-256 of ${name}: the release is too old`, next } : { sum };
  }

  async #ask(url: string, whenMissing: string): Promise<Release> {
    try {
      const text = await this.#web.within(PATIENCE).text({
        url,
        accept: 'application/vnd.github+json',
        ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
      });
      return { assets: assetsIn(text) };
    } catch (thrown) {
      this.#web.signal.throwIfAborted();
      if (thrown instanceof WebError && thrown.status === 404) return { problem: whenMissing };
      return this.#problemOf(thrown);
    }
  }

  #problemOf(thrown: unknown): NoDigest {
    const unknown = 'pass the sums of the assets in checksums-file';
    if (!(thrown instanceof WebError)) {
      return {
        problem: `${GITHUB_API} does not answer: ${describeWebProblem(thrown)}`,
        next: `check HTTPS_PROXY and NO_PROXY, or ${unknown}`,
        cause: thrown,
      };
    }
    if (thrown.isLimited) {
      const token = this.#token === undefined ? 'set github-token to a token of github.com, ' : '';
      return {
        problem: `${GITHUB_API} rejects further requests for now (rate limit)`,
        next: `${token}run the job again later, or ${unknown}`,
        cause: thrown,
      };
    }
    const problem = `${GITHUB_API} refused the request: ${thrown.message}`;
    if (thrown.status >= 500) return { problem, next: `run the job again later, or ${unknown}`, cause: thrown };
    const check = this.#token === undefined ? 'check what the proxy of this runner lets through' : 'check github-token';
    return { problem, next: `${check}, or ${unknown}`, cause: thrown };
  }
}

interface Asset {
  readonly name: string;
  readonly digest?: string | null;
}

/** Source: docs.github.com, REST API, "Get a release by tag name". */
function assetsIn(text: string): readonly Asset[] {
  try {
    return (JSON.parse(text) as { readonly assets?: readonly Asset[] }).assets ?? [];
  } catch {
    throw new Error('its answer is not JSON'); // a login page; the parser's error would quote it
  }
}

type Release = { readonly assets: readonly Asset[] } | NoDigest;
