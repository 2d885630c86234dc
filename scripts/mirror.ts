import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { catalogAssets, isNeededBy } from '../src/catalog/components/catalog-assets.ts';
import type { ReleaseAsset } from '../src/catalog/release-asset.ts';
import { infrastructureNamed, INFRASTRUCTURES, type Infrastructure } from '../src/catalog/infrastructures.ts';
import { KnestError, toKnestError } from '../src/errors.ts';
import type { DownloadInputs } from '../src/inputs.ts';
import { readDownloads } from '../src/inputs/downloads.ts';
import { InputReader } from '../src/inputs/reading/reader.ts';
import { readVersions } from '../src/inputs/versions.ts';
import { readAction } from './docs.ts';
import { fillMirror, SUMS_FILE } from './mirror-directory.ts';
import { forMirrorScript } from './mirror-messages.ts';

const action = readAction().inputs;
/** The inputs with the version of a component, which are options here. */
const VERSIONS = Object.keys(action).filter((name) => name.endsWith('-version') && name !== 'kubernetes-version');
/** The options that take a value, named like inputs of the action. */
const OPTIONS: readonly string[] = ['mirror', 'infrastructure', 'checksums-file', 'checksum-policy', ...VERSIONS];

const USAGE = `usage: npm run mirror -- DIRECTORY [options]

Fetches the release assets that the action may download into DIRECTORY, under the paths that a mirror serves them by,
verifies each as the action does, and writes ${SUMS_FILE} and a .sha256 beside each file. Files that are there with the
right sum stay. See docs/recipes/air-gap.md. Options mean what the inputs of the same names mean.

  --mirror URL                       another mirror instead of https://github.com
  --infrastructure NAME              only what that infrastructure needs: ${INFRASTRUCTURES.join(' or ')}; the default is all
  --checksums-file FILE              sums that you trust, as sha256sum writes them; they win over all others
  --checksum-policy POLICY           require (the default), mirror or warn
${VERSIONS.map((name) => `  ${`--${name} VERSION`.padEnd(35)}the default is ${action[name]?.default ?? ''}\n`).join('')}  --help                             this text

The environment variable GITHUB_TOKEN is a token of github.com for looking up sums; without it, GitHub answers 60
requests an hour.`;

/** What is asked of the script. */
interface MirrorOptions {
  readonly directory: string;
  readonly assets: readonly ReleaseAsset[];
  readonly inputs: DownloadInputs;
}

/** A command line that cannot be used. */
class UsageError extends Error {}

/** Reads the command line; undefined when it asks for help. Throws UsageError, and KNEST_INPUT with all that is wrong. */
function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): MirrorOptions | undefined {
  const { values, positionals } = parse(args);
  if (values['help'] === true) return undefined;
  const [directory, ...others] = positionals;
  if (directory === undefined || directory === '') throw new UsageError('DIRECTORY is missing');
  if (others.length > 0) throw new UsageError('there is more than one DIRECTORY');
  const given = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  const infrastructures = infrastructuresIn(given('infrastructure'));
  const reader = new InputReader((name) =>
    name === 'github-token' ? env['GITHUB_TOKEN'] : (given(name) ?? action[name]?.default),
  );
  const downloads = readDownloads(reader);
  const versions = readVersions(reader, 'auto');
  reader.finish();
  const needed = catalogAssets(versions).filter((one) => infrastructures.some((name) => isNeededBy(one, name)));
  // npm runs scripts in the root of the project, and INIT_CWD is where it was called.
  const path = (text: string): string => resolve(env['INIT_CWD'] ?? '', text);
  const { checksumsFile } = downloads;
  const inputs = { ...downloads, checksumsFile: checksumsFile && path(checksumsFile) };
  return { directory: path(directory), assets: needed.map(({ asset }) => asset), inputs };
}

/** The infrastructures that a mirror is for: all of them when none is named. Throws UsageError. */
function infrastructuresIn(text: string | undefined): readonly Infrastructure[] {
  if (text === undefined) return INFRASTRUCTURES;
  const named = infrastructureNamed(text);
  if (named !== undefined) return [named];
  throw new UsageError(`--infrastructure: "${text}" is not one of ${INFRASTRUCTURES.join(', ')}`);
}

function parse(args: readonly string[]): Pick<ReturnType<typeof parseArgs>, 'values' | 'positionals'> {
  const options = Object.fromEntries(OPTIONS.map((name) => [name, { type: 'string' } as const]));
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...options, help: { type: 'boolean', short: 'h' } },
    });
  } catch (thrown) {
    throw new UsageError(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

/** The message of an error, which names the options of this script. */
function messageOf(error: KnestError): string {
  return forMirrorScript(error.message, OPTIONS);
}

/** Fills the directory and reports it. Returns the exit code. */
async function mirror({ directory, assets, inputs }: MirrorOptions): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      const next = 'run it again: what is there stays';
      stop.abort(new KnestError({ code: 'KNEST_CANCELLED', problem: `ended by ${signal}`, next }));
    });
  }
  const { fetched, present, failed, untried } = await fillMirror(assets, directory, {
    inputs,
    env: process.env,
    signal: stop.signal,
    print: (line) => console.log(forMirrorScript(line, OPTIONS)),
    fail: (path, error) => console.error(`failed   ${path}\n${messageOf(error).replace(/^/gm, '  ')}`),
  });
  if (fetched + present > 0) console.log(`${fetched} fetched, ${present} present: see ${join(directory, SUMS_FILE)}`);
  if (failed === 0) return 0;
  const rest = untried === 0 ? '' : `, and ${untried} were not tried`;
  console.error(`✖ ${failed} of ${assets.length} files could not be fetched${rest}: the mirror is not complete`);
  return 1;
}

if (import.meta.main) {
  try {
    const options = readOptions(process.argv.slice(2), process.env);
    if (options === undefined) console.log(USAGE);
    else process.exitCode = await mirror(options);
  } catch (thrown) {
    const isUsage = thrown instanceof UsageError;
    console.error(`✖ ${isUsage ? `${thrown.message}\n${USAGE}` : messageOf(toKnestError(thrown))}`);
    process.exitCode = isUsage ? 2 : 1;
  }
}
