import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WebFile } from '../../../src/inputs.ts';
import { rejection } from '../rejection.ts';
import { asset, BYTES, downloading, github, PATH, sumOf } from './downloading.ts';

beforeEach(() => {
  // The library of the tool cache writes its debug lines there.
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe('a mirror with checksums', () => {
  it('provides a file whose checksum is right', async () => {
    const files = { [PATH]: BYTES, [`${PATH}.sha256`]: `${sumOf(BYTES)}  tool-linux-amd64\n` };
    const { downloader, directory, received } = await downloading(files);
    const file = await downloader.file(asset, join('a', 'tool'));
    expect(file).toBe(join(directory, 'a', 'tool'));
    expect(readFileSync(file, 'utf8')).toBe(BYTES);
    expect(received.map(({ path }) => path)).toEqual([`${PATH}.sha256`, PATH]);
  });

  it('replaces a file from an earlier run', async () => {
    const files = { [PATH]: BYTES, [`${PATH}.sha256`]: sumOf(BYTES) };
    const { downloader, directory } = await downloading(files);
    writeFileSync(join(directory, 'tool'), 'left over');
    expect(readFileSync(await downloader.file(asset, 'tool'), 'utf8')).toBe(BYTES);
  });

  it('is refused when a checksum is wrong, and the error has both', async () => {
    const { downloader } = await downloading({ [PATH]: BYTES, [`${PATH}.sha256`]: sumOf('other') });
    expect(await rejection(downloader.file(asset, 'tool'))).toMatchObject({
      code: 'KNEST_CHECKSUM',
      problem: 'acme/tool/v9.9.9/tool-linux-amd64 does not match its checksum',
      evidence: [`expected ${sumOf('other')}`, `received ${sumOf(BYTES)}`],
    });
  });

  it.each(['', 'not a sum', sumOf(BYTES).slice(1)])('is refused when %j is not a checksum', async (text) => {
    const { url, downloader, directory } = await downloading({ [PATH]: BYTES, [`${PATH}.sha256`]: text });
    expect(await rejection(downloader.file(asset, 'tool'))).toMatchObject({
      code: 'KNEST_CHECKSUM',
      problem: `${url}${PATH}.sha256 does not begin with a sha256 sum`,
    });
    expect(existsSync(join(directory, 'tool'))).toBe(false);
  });

  it('is refused without the checksum file, before the asset is requested', async () => {
    const { url, downloader, received } = await downloading({ [PATH]: BYTES });
    expect(await rejection(downloader.file(asset, 'tool'))).toMatchObject({
      code: 'KNEST_DOWNLOAD',
      problem: `${url}${PATH}.sha256 cannot be downloaded: it returns 404 Not Found`,
      next: 'put the checksum next to the file on the mirror, in the format of sha256sum, or pass it in checksums-file',
    });
    expect(received.map(({ path }) => path)).toEqual([`${PATH}.sha256`]);
  });

  it('without the asset is reported with advice about the mirror and the version', async () => {
    const { downloader } = await downloading({ [`${PATH}.sha256`]: sumOf(BYTES) });
    expect(await rejection(downloader.file(asset, 'tool'))).toMatchObject({
      code: 'KNEST_DOWNLOAD',
      next: 'put it on the mirror under this path, or check the version inputs',
    });
  });
});

describe('a file of a repository', () => {
  const inTree = { ...asset, name: 'deploy/tool.yaml', inTree: true } as const;
  const path = '/acme/tool/raw/v9.9.9/deploy/tool.yaml';

  it('is next to its checksum on a mirror, like an asset', async () => {
    const { downloader, received } = await downloading({ [path]: BYTES, [`${path}.sha256`]: sumOf(BYTES) });
    expect(readFileSync(await downloader.file(inTree, 'tool.yaml'), 'utf8')).toBe(BYTES);
    expect(received.map((request) => request.path)).toEqual([`${path}.sha256`, path]);
  });

  it('has no digest, and GitHub is not asked for one', async () => {
    const { agent, asked } = github({ 'deploy/tool.yaml': `sha256:${sumOf(BYTES)}` });
    const { downloader } = await downloading({ [path]: BYTES }, { checksumPolicy: 'require' }, { agent, asked });
    expect(await rejection(downloader.file(inTree, 'tool.yaml'))).toMatchObject({
      code: 'KNEST_CHECKSUM',
      evidence: ['it is not an asset of a release: GitHub has no SHA-256 of it'],
    });
    expect(asked).toEqual([]);
  });
});

describe('a file for which the user gives the address', () => {
  const url = 'https://github.com/acme/shop/raw/main/blob/t.yaml';
  const file = (sha256: string | undefined): WebFile => ({ kind: 'url', url, sha256 });
  const files = { '/acme/shop/raw/main/blob/t.yaml': BYTES };

  it('is downloaded from the mirror when it is on GitHub', async () => {
    const { downloader, directory, warnings } = await downloading(files);
    expect(await downloader.webFile(file(sumOf(BYTES)), 't.yaml')).toBe(join(directory, 't.yaml'));
    expect(readFileSync(join(directory, 't.yaml'), 'utf8')).toBe(BYTES);
    expect(warnings).toEqual([]);
  });

  it('may be given by its page on GitHub', async () => {
    const page = url.replace('raw', 'blob');
    const { downloader } = await downloading(files);
    await expect(downloader.webFile({ ...file(sumOf(BYTES)), url: page }, 't.yaml')).resolves.toBeDefined();
  });

  it('is used with a warning without a checksum', async () => {
    const { downloader, warnings } = await downloading(files, { checksumPolicy: 'warn' });
    await downloader.webFile(file(undefined), 't.yaml');
    expect(warnings).toEqual([`${url} is used unverified: it has no #sha256= (checksum-policy: warn)`]);
  });

  it('is refused when its checksum is wrong', async () => {
    const { downloader, directory } = await downloading(files);
    expect(await rejection(downloader.webFile(file(sumOf('other')), 't.yaml'))).toMatchObject({
      code: 'KNEST_CHECKSUM',
      evidence: [`expected ${sumOf('other')}`, `received ${sumOf(BYTES)}`],
    });
    expect(existsSync(join(directory, 't.yaml'))).toBe(false);
  });

  it('that does not exist is reported with advice about the address', async () => {
    const { downloader } = await downloading({});
    expect(await rejection(downloader.webFile(file(sumOf(BYTES)), 't.yaml'))).toMatchObject({
      code: 'KNEST_DOWNLOAD',
      next: 'put it on the mirror under this path, or check the address',
    });
  });

  it('that is in no release is reported with advice about the address, not about a version', async () => {
    const { downloader } = await downloading({}, { checksumPolicy: 'require' });
    const named: WebFile = { kind: 'url', url: `https://github.com${PATH}`, sha256: undefined };
    expect(await rejection(downloader.webFile(named, 'tool'))).toMatchObject({
      code: 'KNEST_CHECKSUM',
      next: 'check the address: there is no such file',
    });
  });

  it('is verified like any other asset when it belongs to a release', async () => {
    const asset: WebFile = { kind: 'url', url: `https://github.com${PATH}`, sha256: undefined };
    const good = await downloading({ [PATH]: BYTES, [`${PATH}.sha256`]: sumOf(BYTES) });
    await expect(good.downloader.webFile(asset, 'tool')).resolves.toBeDefined();
    const bad = await downloading({ [PATH]: BYTES, [`${PATH}.sha256`]: sumOf('other') });
    expect(await rejection(bad.downloader.webFile(asset, 'tool'))).toMatchObject({ code: 'KNEST_CHECKSUM' });
  });
});

describe('a program', () => {
  const files = { [PATH]: BYTES, [`${PATH}.sha256`]: sumOf(BYTES) };
  const cached = (cache: string): string => join(cache, 'tool', '9.9.9', process.arch, 'tool');

  it('is executable only by its owner, and is kept for the next job', async () => {
    const { downloader, fresh, directory, cache, received, warnings } = await downloading(files);
    const program = await downloader.program(asset, 'tool');
    expect(program).toBe(join(directory, 'tool'));
    expect(statSync(program).mode & 0o777).toBe(0o700);
    expect(readFileSync(cached(cache), 'utf8')).toBe(BYTES);
    rmSync(program);
    expect(readFileSync(await fresh().program(asset, 'tool'), 'utf8')).toBe(BYTES);
    expect(statSync(program).mode & 0o777).toBe(0o700);
    expect(received.filter(({ path }) => path === PATH)).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  it('that was changed in the tool cache is replaced, in the cache too', async () => {
    const { downloader, fresh, cache, warnings } = await downloading(files);
    await downloader.program(asset, 'tool');
    writeFileSync(cached(cache), 'evil');
    expect(readFileSync(await fresh().program(asset, 'tool'), 'utf8')).toBe(BYTES);
    expect(warnings).toEqual([
      'acme/tool/v9.9.9/tool-linux-amd64 in the tool cache does not match its checksum; downloading it again',
    ]);
    expect(readFileSync(cached(cache), 'utf8')).toBe(BYTES);
  });

  it('with a wrong checksum is neither executable nor kept', async () => {
    const { downloader, directory, cache } = await downloading({ ...files, [PATH]: 'evil' });
    expect(await rejection(downloader.program(asset, 'tool'))).toMatchObject({ code: 'KNEST_CHECKSUM' });
    expect(existsSync(cached(cache))).toBe(false);
    const left = join(directory, 'tool');
    expect(existsSync(left) && (statSync(left).mode & 0o111) !== 0).toBe(false);
  });

  it('is used even when the tool cache cannot be written', async () => {
    const { downloader, cache, warnings } = await downloading(files);
    writeFileSync(join(cache, 'tool'), 'a file in the place of the directory');
    expect(readFileSync(await downloader.program(asset, 'tool'), 'utf8')).toBe(BYTES);
    expect(warnings).toEqual([expect.stringMatching(/^tool could not be saved in the tool cache: /)]);
  });

  it('is downloaded with one warning without a tool cache', async () => {
    const { downloader, warnings } = await downloading(files);
    vi.stubEnv('RUNNER_TOOL_CACHE', '');
    expect(readFileSync(await downloader.program(asset, 'tool'), 'utf8')).toBe(BYTES);
    expect(warnings).toEqual([
      'the tool cache of this runner cannot be used, so tool is downloaded: Expected RUNNER_TOOL_CACHE to be defined',
    ]);
  });
});
