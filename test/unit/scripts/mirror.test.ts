import { execFile, type ChildProcess } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { dirname, join, resolve } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { defaultVersions } from '../../../scripts/docs.ts';
import { allAssets } from '../../../src/catalog/components/catalog-assets.ts';
import { assetPath } from '../../../src/catalog/release-asset.ts';
import { serve } from '../host/server.ts';
import { downloading, sumOf, temporary } from '../install/downloading.ts';

// The action's own table has the sums of the real files.
vi.mock('../../../src/install/download/checksums.json', () => ({ default: {} }));

const script = resolve(import.meta.dirname, '../../../scripts/mirror.ts');
const assets = allAssets(defaultVersions());
const paths = assets.map(assetPath);
const [, path = ''] = paths;
const textOf = (path: string): string => `what is released as ${path}\n`;

/** A server with every file, until `answer` takes a request; and a file with the sums of all. */
async function upstream(answer: (path: string, response: ServerResponse) => boolean = () => false) {
  const { url, received } = await serve((response, _number, request) => {
    if (answer(request.path, response)) return;
    const path = request.path.slice(1);
    response.writeHead(paths.includes(path) ? 200 : 404).end(textOf(path));
  });
  const sums = join(temporary(), 'sums');
  writeFileSync(sums, paths.map((path) => `${sumOf(textOf(path))}  ./${path}\n`).join(''));
  return { url, received, sums };
}

/** Runs the script in `cwd`; nothing that it is not given leads out of this machine. */
function mirror(
  args: readonly string[],
  cwd = temporary(),
  meet: (script: ChildProcess) => void = () => undefined,
): Promise<{ exitCode: number; out: string; err: string }> {
  const env = { INIT_CWD: cwd };
  return new Promise((done) => {
    const child = execFile(process.execPath, [script, ...args], { cwd, env }, (_error, out, err) =>
      done({ exitCode: child.exitCode ?? -1, out, err }),
    );
    meet(child);
  });
}

/** Every file below a directory, hidden ones too. */
function filesIn(directory: string): readonly string[] {
  return globSync(['**/*', '**/.*/**'], { cwd: directory }).filter((file) => statSync(join(directory, file)).isFile());
}

const count = (text: string, word: string): number => text.split('\n').filter((line) => line.startsWith(word)).length;

afterEach(() => vi.unstubAllEnvs());

describe('npm run mirror', () => {
  it('fetches every file with its sum, and nothing when they are there', async () => {
    const { url, received, sums } = await upstream();
    const cwd = temporary();
    const args = ['made', '--mirror', url, '--checksums-file', sums];
    const first = await mirror(args, cwd);
    expect(first).toMatchObject({ exitCode: 0, err: '' });
    expect(count(first.out, 'fetched  ')).toBe(paths.length);
    const directory = join(cwd, 'made');
    expect([...filesIn(directory)].sort()).toEqual(
      ['knest.sha256', ...paths, ...paths.map((path) => `${path}.sha256`)].sort(),
    );
    for (const path of paths) {
      expect(readFileSync(join(directory, path), 'utf8')).toBe(textOf(path));
      expect(statSync(join(directory, path)).mode & 0o777).toBe(0o644);
    }
    const requests = received.length;
    const again = await mirror(args, cwd);
    expect(again).toMatchObject({ exitCode: 0, err: '' });
    expect(count(again.out, 'present  ')).toBe(paths.length);
    expect(received.length).toBe(requests);
  });

  it('fetches what one infrastructure needs', async () => {
    const { url, received, sums } = await upstream();
    const { exitCode } = await mirror(['m', '--mirror', url, '--checksums-file', sums, '--infrastructure', 'docker']);
    expect(exitCode).toBe(0);
    expect(received.length).toBeGreaterThan(5);
    expect(received.filter((one) => one.path.includes('virtink'))).toEqual([]);
  });

  it('replaces a file with another sum, and keeps what other runs fetched', async () => {
    const { url, received, sums } = await upstream();
    const cwd = temporary();
    const args = ['.', '--mirror', url, '--checksums-file', sums];
    await mirror(args, cwd);
    writeFileSync(join(cwd, path), 'half of it');
    const before = received.length;
    const { out } = await mirror([...args, '--infrastructure', 'docker'], cwd);
    expect(out).toContain(`fetched  ${path}\n`);
    expect(received.length).toBe(before + 1);
    expect(readFileSync(join(cwd, path), 'utf8')).toBe(textOf(path));
    expect(readFileSync(join(cwd, 'knest.sha256'), 'utf8').trim().split('\n')).toHaveLength(paths.length);
  });

  it('makes a mirror that the action takes, by its file of sums and by those beside the files', async () => {
    const { url, sums } = await upstream();
    const cwd = temporary();
    await mirror(['.', '--mirror', url, '--checksums-file', sums], cwd);
    const served = Object.fromEntries(filesIn(cwd).map((file) => [`/${file}`, readFileSync(join(cwd, file), 'utf8')]));
    for (const inputs of [
      { checksumPolicy: 'require', checksumsFile: join(cwd, 'knest.sha256') },
      { checksumPolicy: 'mirror', checksumsFile: undefined },
    ] as const) {
      const { downloader, warnings } = await downloading(served, inputs);
      for (const asset of assets)
        expect(readFileSync(await downloader.file(asset, 'asset'), 'utf8')).toBe(textOf(assetPath(asset)));
      expect(warnings).toEqual([]);
    }
  });
});

describe('npm run mirror fails', () => {
  /** Runs the script on a directory in which an earlier run left a wrong file. */
  async function failing(answer: (path: string, response: ServerResponse) => boolean) {
    const { url, sums, received } = await upstream(answer);
    const cwd = temporary();
    mkdirSync(dirname(join(cwd, path)), { recursive: true });
    writeFileSync(join(cwd, path), 'of an earlier version');
    const { exitCode, out, err } = await mirror(['.', '--mirror', url, '--checksums-file', sums], cwd);
    expect(exitCode).toBe(1);
    expect(filesIn(cwd).filter((file) => file.includes('incoming'))).toEqual([]);
    expect(existsSync(join(cwd, path))).toBe(false);
    return { url, out, err, received, sums: readFileSync(join(cwd, 'knest.sha256'), 'utf8') };
  }

  it('for a file that does not exist, and fetches the others', async () => {
    const { url, out, err, sums } = await failing((asked, response) => {
      if (asked !== `/${path}`) return false;
      response.writeHead(404).end();
      return true;
    });
    expect(err).toBe(
      `failed   ${path}\n` +
        `  ${url}/${path} cannot be downloaded: it returns 404 Not Found (KNEST_DOWNLOAD)\n` +
        '  Next: put it on the mirror under this path, or check the version options\n' +
        `✖ 1 of ${paths.length} files could not be fetched: the mirror is not complete\n`,
    );
    expect(count(out, 'fetched  ')).toBe(paths.length - 1);
    expect(sums).not.toContain(path);
    expect(sums.trim().split('\n')).toHaveLength(paths.length - 1);
  });

  it('for a file with another sum', async () => {
    const { err } = await failing((asked, response) => {
      if (asked !== `/${path}`) return false;
      response.end('tampered with');
      return true;
    });
    expect(err).toContain(
      'clusterctl-linux-arm64 does not match its checksum (KNEST_CHECKSUM)\n' +
        `  expected ${sumOf(textOf(path))}\n  received ${sumOf('tampered with')}\n` +
        '  Next: do not use it; check the mirror or proxy that it came through\n',
    );
  });

  it('at a limit of requests, which all other files would meet', async () => {
    const { url, err, received } = await failing((asked, response) => {
      if (asked !== `/${path}`) return false;
      response.writeHead(403, { 'x-ratelimit-remaining': '0' }).end();
      return true;
    });
    expect(err).toContain(`${url}/${path} cannot be downloaded: it returns 403 Forbidden (KNEST_DOWNLOAD)\n`);
    expect(err).toContain('  Next: run this again later\n');
    expect(err).toContain(`✖ 1 of ${paths.length} files could not be fetched, and ${paths.length - 2} were not tried`);
    expect(received).toHaveLength(2);
  });

  it('when a download breaks off', async () => {
    const { err } = await failing((asked, response) => {
      if (asked !== `/${path}`) return false;
      response.writeHead(200, { 'content-length': 1000 }).write('half of it', () => response.destroy());
      return true;
    });
    expect(err).toMatch(/clusterctl-linux-arm64 cannot be downloaded: .+ \(KNEST_DOWNLOAD\)\n/);
    expect(err).toContain('Next: check that this machine can reach the address (HTTPS_PROXY, NO_PROXY)\n');
  });

  it('when a signal ends it, without a half file', async () => {
    let script: ChildProcess | undefined;
    const { url, sums } = await upstream((asked, response) => {
      if (asked !== `/${path}`) return false;
      response.writeHead(200, { 'content-length': 1000 }).write('half of it', () => script?.kill('SIGTERM'));
      return true;
    });
    const cwd = temporary();
    const { exitCode, err } = await mirror(
      ['.', '--mirror', url, '--checksums-file', sums],
      cwd,
      (it) => (script = it),
    );
    expect(exitCode).toBe(1);
    expect(err).toContain('✖ ended by SIGTERM (KNEST_CANCELLED)\n');
    expect(err).toContain('Next: run it again: what is there stays\n');
    expect([...filesIn(cwd)].sort()).toEqual(['knest.sha256', paths[0], `${paths[0] ?? ''}.sha256`]);
  });

  it.each([
    [[], 'DIRECTORY is missing'],
    [['a', 'b'], 'there is more than one DIRECTORY'],
    [['a', '--infrastructure', 'qemu'], '--infrastructure: "qemu" is not one of virtink, kubevirt, in-memory'],
    [['a', '--form', 'x'], "Unknown option '--form'"],
  ])('for a command line that it does not know: %j', async (args, problem) => {
    const cwd = temporary();
    const { exitCode, err } = await mirror(args, cwd);
    expect(exitCode).toBe(2);
    expect(err).toContain(`✖ ${problem}`);
    expect(err).toContain('usage: npm run mirror -- DIRECTORY');
    expect(filesIn(cwd)).toEqual([]);
  });

  it('for values that the action does not take either, all at once and without a password', async () => {
    const url = 'http://ci:s3cret@mirror.example.com';
    const { exitCode, err } = await mirror(['a', '--mirror', url, '--virtink-version', 'newest']);
    expect(exitCode).toBe(1);
    expect(err).toBe(
      '✖ 2 options cannot be used; nothing was fetched (KNEST_INPUT)\n' +
        '--mirror: has a password, which http sends in plain text; use https\n' +
        '--virtink-version: "newest" is not a version; for example 1.0.0\n',
    );
  });

  it('for a file of sums that is not one', async () => {
    const cwd = temporary();
    writeFileSync(join(cwd, 'knest.sha256'), 'no sum\n');
    const { exitCode, err } = await mirror(['.'], cwd);
    expect(exitCode).toBe(1);
    expect(err).toContain(`${join(cwd, 'knest.sha256')} cannot be read; nothing was fetched`);
    expect(err).toContain('it is written again');
  });

  it('with --help only in that it fetches nothing', async () => {
    const { exitCode, out, err } = await mirror(['--help']);
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
    expect(out).toContain('--virtink-provider-version VERSION the default is v0.7.0\n');
  });
});
