import { createHash } from 'node:crypto';
import { existsSync, globSync, linkSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { locked } from './lock.ts';
import {
  hostPrograms,
  linkerFlags,
  moduleDirectory,
  needsC,
  partPrograms,
  toolPrograms,
  type Program,
} from './modules.ts';
import { CommandError, run, tail } from './process.ts';
import { seconds, type Report } from './report.ts';

/** Where everything that is built is kept: outside the checkout, for all checkouts. */
export const cacheDirectory = resolve(
  process.env['KNEST_HOST_CACHE'] ??
    join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'knest-action', 'host'),
);

/** Returns a short hash of texts, for a name in the cache. */
export function key(...texts: (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex').slice(0, 16);
}

/** Makes `directory` by filling a temporary one and moving it there, unless it exists. */
export async function once(directory: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  if (existsSync(directory)) return;
  mkdirSync(dirname(directory), { recursive: true });
  const temporary = mkdtempSync(`${directory}.`);
  try {
    await fill(temporary);
    renameSync(temporary, directory);
  } catch (thrown) {
    // Another process was faster, and has filled it with the same.
    if (!existsSync(directory)) throw thrown;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

let goVersion: Promise<string> | undefined;

/** Returns the path a program has in the cache once it is built. */
export async function binaryPath(program: Program): Promise<string> {
  goVersion ??= run('go', ['env', 'GOVERSION', 'GOARCH']);
  const directory = moduleDirectory(program.module);
  // A module's own packages are few and small; everything else is pinned by go.sum.
  const sources = globSync(['go.mod', 'go.sum', '**/*.go'], { cwd: directory }).sort();
  const contents = sources.map((file) => readFileSync(join(directory, file)));
  const name = key(await goVersion, program.package, linkerFlags(program.module), ...contents);
  return join(cacheDirectory, 'binaries', `${program.module}-${name}`, program.name);
}

/** The environment Go builds in. Modules that the checksum database does not know are still held to go.sum. */
export function goEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    CGO_ENABLED: '0',
    GOFLAGS: '-mod=readonly -buildvcs=false',
    GOTOOLCHAIN: 'local',
    GONOSUMDB: 'github.com/metal3-io/*,sigs.k8s.io/cluster-api,kubevirt.io/*,github.com/rhobs/*,github.com/rancher/*',
  };
}

async function build(program: Program, path: string): Promise<void> {
  const temporary = `${path}.${process.pid}`;
  mkdirSync(dirname(path), { recursive: true });
  const flags = ['-trimpath', '-ldflags', linkerFlags(program.module), '-o', temporary];
  try {
    await run('go', ['build', ...flags, program.package], {
      cwd: moduleDirectory(program.module),
      env: { ...goEnvironment(), ...(needsC(program.module) && { CGO_ENABLED: '1' }) },
    });
    renameSync(temporary, path);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new Error(`${program.name} cannot be built:\n${tail(error.output, 15)}`, { cause: error });
  } finally {
    rmSync(temporary, { force: true });
  }
}

/**
 * Builds what is not built yet, one after another and the quickest first, so that a missing module is found early.
 * Reports at the start about how long it takes. Returns each program's path. Throws with Go's last lines.
 */
export async function buildAll(programs: readonly Program[], report: Report): Promise<Map<string, string>> {
  const paths = new Map<string, string>();
  for (const program of programs) paths.set(program.name, await binaryPath(program));
  const quickestFirst = [...programs].sort((one, other) => one.seconds - other.seconds);
  const missing = (): Program[] => quickestFirst.filter(({ name }) => !existsSync(paths.get(name) ?? ''));
  if (missing().length === 0) return paths;
  const waiting = (): void => report.note('another process is building: waiting for it');
  await locked(join(cacheDirectory, 'build.lock'), waiting, async () => {
    const time = missing().reduce((sum, { seconds }) => sum + seconds, 0);
    report.note(
      `building ${missing().length} programs: about ${Math.ceil(time / 60)} min on two cores without a cache`,
    );
    for (const program of missing()) {
      const began = performance.now();
      await build(program, paths.get(program.name) ?? '');
      report.note(`${program.name.padEnd(30)} ${seconds(began)}`);
    }
  });
  return paths;
}

/** Makes a directory that holds the given files by hard links, under their names. Returns it. */
export async function gather(kind: string, files: ReadonlyMap<string, string>): Promise<string> {
  const directory = join(cacheDirectory, kind, key(JSON.stringify([...files])));
  await once(directory, (temporary) => {
    for (const [name, path] of files) {
      mkdirSync(dirname(join(temporary, name)), { recursive: true });
      linkSync(path, join(temporary, name));
    }
    return Promise.resolve();
  });
  return directory;
}

/** The path of one of the programs that a host has been built with. */
export async function hostProgram(name: string): Promise<string> {
  const programs = [...hostPrograms, ...Object.values(partPrograms).flat()];
  const program = programs.find((candidate) => candidate.name === name);
  if (!program) throw new Error(`no host has a program ${name}`);
  return binaryPath(program);
}

/** Builds one of the programs only tests use (act, actionlint). Returns its path. */
export async function tool(name: string, report: Report): Promise<string> {
  const program = toolPrograms.find((candidate) => candidate.name === name);
  if (!program) throw new Error(`no such tool: ${name}`);
  return (await buildAll([program], report)).get(name) ?? '';
}
