/** An asset of a GitHub release, or a file that a repository has at a tag. */
export interface ReleaseAsset {
  /** `owner/name`. */
  readonly repository: string;
  /** Of a file in the tree, a commit does as well. */
  readonly tag: string;
  /** Of a file in the tree: its path. */
  readonly name: string;
  /** Set when it is a file in the tree of the repository, attached to no release. */
  readonly inTree?: true;
}

/** Where GitHub has the assets of releases. */
const RELEASE_ADDRESS = /^https:\/\/github\.com\/([^/]+\/[^/]+)\/releases\/download\/([^/]+)\/([^/?#]+)$/;

/** The release asset that an address on GitHub stands for; undefined when it stands for anything else. */
export function releaseAssetAt(url: string): ReleaseAsset | undefined {
  const [, repository, tag, name] = RELEASE_ADDRESS.exec(url) ?? [];
  if (repository === undefined || tag === undefined || name === undefined) return undefined;
  return { repository, tag, name };
}

/** An asset's name in the table of checksums and in messages: `owner/name/tag/asset`. */
export function assetKey(asset: ReleaseAsset): string {
  return `${asset.repository}/${asset.tag}/${asset.name}`;
}

/** An asset's path on github.com, and on a mirror of it. */
export function assetPath({ repository, tag, name, inTree }: ReleaseAsset): string {
  return `${repository}/${inTree ? 'raw' : 'releases/download'}/${tag}/${name}`;
}
