import { assetKey, assetPath, type ReleaseAsset } from '../../catalog/release-asset.ts';
import { KnestError } from '../../errors.ts';
import type { DownloadInputs } from '../../inputs.ts';
import { ADVICE_ON_MISSING_SUM, adviceOnMissing, type Origin } from './advice.ts';
import type { AssetSource } from './asset-source.ts';
import checksums from './checksums.json' with { type: 'json' };
import type { Digest, ReleaseDigests } from './digests.ts';
import { readSums, type Sums } from './sums.ts';

/** The sums that this action knows: of the default versions. */
const TABLE: Readonly<Record<string, string>> = checksums;

/** Of a file in the tree of a repository, GitHub has no digest. */
const NO_DIGEST: Digest = {
  problem: 'it is not an asset of a release: GitHub has no SHA-256 of it',
  next: 'add its sum to checksums-file, or accept it unverified with checksum-policy: warn',
};

/** Where sums come from. */
export interface SumSources {
  /** Has the sums beside the assets of a mirror. */
  readonly source: AssetSource;
  readonly digests: ReleaseDigests;
  readonly warn: (text: string) => void;
}

/** The SHA-256 that each asset must have. */
export class AssetSums {
  readonly #inputs: Pick<DownloadInputs, 'checksumPolicy' | 'checksumsFile'>;
  readonly #sources: SumSources;
  readonly #sums = new Map<string, Promise<string | undefined>>();
  #given: Promise<Sums> | undefined;

  constructor(inputs: Pick<DownloadInputs, 'checksumPolicy' | 'checksumsFile'>, sources: SumSources) {
    this.#inputs = inputs;
    this.#sources = sources;
  }

  /**
   * The sum of an asset, found out once; undefined only when checksum-policy lets it through unverified. `origin`: who
   * chose it. Throws KNEST_CHECKSUM when the sum is unknown, and KNEST_DOWNLOAD, KNEST_INPUT.
   */
  find(asset: ReleaseAsset, origin: Origin): Promise<string | undefined> {
    const key = assetKey(asset);
    const known = this.#sums.get(key) ?? this.#find(asset, origin);
    this.#sums.set(key, known);
    return known;
  }

  async #find(asset: ReleaseAsset, origin: Origin): Promise<string | undefined> {
    const known = (await this.#givenSums()).get(assetPath(asset)) ?? TABLE[assetKey(asset)];
    if (known !== undefined) return known;
    if (this.#inputs.checksumPolicy === 'mirror') return this.#publishedSum(asset);
    const digest = asset.inTree ? NO_DIGEST : await this.#sources.digests.find(asset);
    if ('sum' in digest) return digest.sum;
    if (this.#inputs.checksumPolicy === 'warn') {
      const { warn } = this.#sources;
      warn(`${assetKey(asset)} is used unverified: ${digest.problem} (checksum-policy: warn)`);
      return undefined;
    }
    throw new KnestError({
      code: 'KNEST_CHECKSUM',
      problem: `no known checksum for ${assetKey(asset)}`,
      evidence: [digest.problem],
      next: digest.next ?? adviceOnMissing(origin, false),
      cause: digest.cause,
    });
  }

  #givenSums(): Promise<Sums> {
    const { checksumsFile } = this.#inputs;
    this.#given ??= checksumsFile === undefined ? Promise.resolve(new Map()) : readSums(checksumsFile);
    return this.#given;
  }

  /** `<asset>.sha256` beside the asset on the mirror, in sha256sum's form. */
  async #publishedSum(asset: ReleaseAsset): Promise<string> {
    const { source } = this.#sources;
    const url = `${source.addressOf(asset)}.sha256`;
    const text = await source.text(url, ADVICE_ON_MISSING_SUM);
    const sum = /^[0-9a-f]{64}/.exec(text)?.[0];
    if (sum !== undefined) return sum;
    throw new KnestError({
      code: 'KNEST_CHECKSUM',
      problem: `${url} does not begin with a sha256 sum`,
      next: 'write it with sha256sum, or set another checksum-policy',
    });
  }
}
