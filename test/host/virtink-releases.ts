import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { cacheDirectory, once } from './binaries.ts';
import { versions } from './modules.ts';

/** A file of a release of Virtink or of its Cluster API provider. */
interface ReleaseAsset {
  readonly repository: string;
  readonly tag: string;
  readonly asset: string;
  readonly sha256: string;
}

const assetsOf = (repository: string, tag: string, sums: Readonly<Record<string, string>>): ReleaseAsset[] =>
  Object.entries(sums).map(([asset, sha256]) => ({ repository, tag, asset, sha256 }));

/** What a host with Virtink serves of its releases. */
export const virtinkAssets: readonly ReleaseAsset[] = [
  ...assetsOf('cluster-api-provider-virtink', versions.virtinkProvider, {
    'cluster-template-cdi-internal.yaml': '18f9cf7dc6b68de018c4ef764ea31ccc77689b9de0ce48cdec2f3697de6a74f0',
    'cluster-template-cdi.yaml': '9a345ccc99210846e225e77d72476e8379f59b83bb772a7d73efeb904ff6a55a',
    'cluster-template-internal.yaml': 'f82e43826e368903a93fa6432c98eaaeaedd4ec20bfaee2447bc1a7f307badba',
    'cluster-template.yaml': '1c6383b0491844a5221347e73bd97442445532c57f3b7d622cfcbe45f6d08996',
    'infrastructure-components.yaml': 'ce70a3d048680137e659c6fbca24951ce190c96f34fda8f5bda8b5c34ecbadf3',
    'metadata.yaml': 'd85436c633e4b4099c47e4f374efa066448f9b7e22e3b1150b4ae8e830fe81df',
  }),
  ...assetsOf('virtink', versions.virtink, {
    'virtink.yaml': '0dc7cba725c33c9ac1d8a524da7393b6c905c7372bb810f278a63b3d2f28b42f',
  }),
];

/** Where a directory of releases has an asset. */
export function virtinkAssetPath(directory: string, { repository, tag, asset }: ReleaseAsset): string {
  return join(directory, repository, tag, asset);
}

/** A directory of releases beside the checkout, which spares the download. */
const beside = resolve(import.meta.dirname, '../../../shared/data/virtink');

/** Where the releases of Virtink are, or why they are not available. */
export type VirtinkReleases = { readonly directory: string } | { readonly problem: string };

/** Finds the releases beside the checkout or in the cache, or downloads them from GitHub. Each file is verified. */
export async function findVirtinkReleases(): Promise<VirtinkReleases> {
  try {
    if (existsSync(beside)) {
      for (const file of virtinkAssets) verify(file, readFileSync(virtinkAssetPath(beside, file)));
      return { directory: beside };
    }
    const directory = join(cacheDirectory, 'releases', `virtink-${versions.virtink}-${versions.virtinkProvider}`);
    await once(directory, async (temporary) => {
      await Promise.all(virtinkAssets.map((file) => download(file, virtinkAssetPath(temporary, file))));
    });
    return { directory };
  } catch (thrown) {
    return {
      problem: `its release assets are not available: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    };
  }
}

async function download(file: ReleaseAsset, path: string): Promise<void> {
  const { repository, tag, asset } = file;
  const url = `https://github.com/smartxworks/${repository}/releases/download/${tag}/${asset}`;
  const response = await fetch(url, { signal: AbortSignal.timeout(60_000) }).catch((thrown: unknown) => {
    const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
    throw new Error(`cannot download ${url}: ${String(cause)}`, { cause: thrown });
  });
  if (!response.ok) throw new Error(`cannot download ${url}: HTTP ${response.status}`);
  const content = Buffer.from(await response.arrayBuffer());
  verify(file, content);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

function verify({ repository, tag, asset, sha256 }: ReleaseAsset, content: Buffer): void {
  const actual = createHash('sha256').update(content).digest('hex');
  if (actual !== sha256) throw new Error(`${repository} ${tag} ${asset} has the SHA-256 ${actual}, not ${sha256}`);
}
