import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** What a release is compared with: the version in package.json, and the texts that tell users what to write. */
export interface ReleaseFiles {
  readonly version: string;
  /** File names with their texts. */
  readonly texts: Readonly<Record<string, string>>;
}

/** What keeps a tag from being released, a sentence each: its version is not the package's, or examples use another. */
export function releaseProblems(tag: string, { version, texts }: ReleaseFiles): readonly string[] {
  const major = /^(v\d+)\.\d+\.\d+$/.exec(tag)?.[1];
  if (major === undefined) return [`${tag} is not a tag for a release; for example v1.2.3`];
  const used = Object.entries(texts).flatMap(([file, text]) =>
    [...text.matchAll(/knest\/knest-action@([\w.]+)/g)].map(([, ref = '']) => ({ file, ref })),
  );
  return [
    ...(tag === `v${version}` ? [] : [`package.json has version ${version}, not that of ${tag}`]),
    ...used.filter(({ ref }) => ref !== major).map(({ file, ref }) => `${file} uses @${ref}, not @${major}`),
  ];
}

/** Reads what a release is compared with. */
export function readReleaseFiles(): ReleaseFiles {
  const read = (file: string): string => readFileSync(resolve(root, file), 'utf8');
  const { version } = JSON.parse(read('package.json')) as { readonly version: string };
  const files = ['README.md', ...globSync(['workflows/*.yml', 'docs/**/*.md'], { cwd: root }).sort()];
  return { version, texts: Object.fromEntries(files.map((file) => [file, read(file)])) };
}

if (import.meta.main) {
  const problems = releaseProblems(process.argv[2] ?? '', readReleaseFiles());
  for (const problem of problems) console.error(`✖ ${problem}`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
