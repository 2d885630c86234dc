import { existsSync, globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { allAssets } from '../src/catalog/components/catalog-assets.ts';
import { assetKey } from '../src/catalog/release-asset.ts';
import { defaultVersions } from './docs.ts';

const root = resolve(import.meta.dirname, '..');

/** What a release is compared with. */
export interface ReleaseFiles {
  /** The version in package.json. */
  readonly version: string;
  /** The version in .release-please-manifest.json. */
  readonly proposed: string;
  readonly changelog: string;
  /** The texts that show how to use the action, by file name. */
  readonly texts: Readonly<Record<string, string>>;
  /** The assets that the action downloads by default. */
  readonly assets: readonly string[];
  /** Their SHA-256 sums in the action's table. */
  readonly checksums: Readonly<Record<string, string>>;
}

/** What keeps a tag from being released, a sentence each. */
export function releaseProblems(tag: string, files: ReleaseFiles): readonly string[] {
  const major = /^(v\d+)\.\d+\.\d+$/.exec(tag)?.[1];
  if (major === undefined) return [`${tag} is not a tag for a release; for example v1.2.3`];
  const { version, proposed, changelog, checksums } = files;
  const used = Object.entries(files.texts).flatMap(([file, text]) =>
    [...text.matchAll(/knest\/knest-action@([\w.]+)/g)].map(([, ref = '']) => ({ file, ref })),
  );
  return [
    ...(tag === `v${version}` ? [] : [`package.json has version ${version}, not that of ${tag}`]),
    ...(proposed === version ? [] : [`.release-please-manifest.json has version ${proposed}, not ${version}`]),
    ...(hasSection(changelog, version) ? [] : [`CHANGELOG.md has no section for ${version}`]),
    ...used.filter(({ ref }) => ref !== major).map(({ file, ref }) => `${file} uses @${ref}, not @${major}`),
    ...files.assets
      .filter((asset) => checksums[asset] === undefined)
      .map((asset) => `src/install/download/checksums.json has no sum for ${asset}`),
  ];
}

/** Whether a changelog has a heading for a version, as release-please writes it. */
function hasSection(changelog: string, version: string): boolean {
  return changelog.split('\n').some((line) => line.startsWith(`## [${version}]`) || line.startsWith(`## ${version} `));
}

/** Reads what a release is compared with. */
export function readReleaseFiles(): ReleaseFiles {
  const read = (file: string): string => readFileSync(resolve(root, file), 'utf8');
  const { version } = JSON.parse(read('package.json')) as { readonly version: string };
  const manifest = JSON.parse(read('.release-please-manifest.json')) as { readonly '.': string };
  const files = ['README.md', ...globSync(['workflows/*.yml', 'docs/**/*.md'], { cwd: root }).sort()];
  return {
    version,
    proposed: manifest['.'],
    // There is none before the first release.
    changelog: existsSync(resolve(root, 'CHANGELOG.md')) ? read('CHANGELOG.md') : '',
    texts: Object.fromEntries(files.map((file) => [file, read(file)])),
    assets: allAssets(defaultVersions()).map(assetKey),
    checksums: JSON.parse(read('src/install/download/checksums.json')) as ReleaseFiles['checksums'],
  };
}

if (import.meta.main) {
  const problems = releaseProblems(process.argv[2] ?? '', readReleaseFiles());
  for (const problem of problems) console.error(`✖ ${problem}`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
