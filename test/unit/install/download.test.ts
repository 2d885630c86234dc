import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockAgent } from 'undici';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { DownloadInputs, WebFile } from '../../../src/inputs.ts';
import type { ReleaseAsset } from '../../../src/install/components.ts';
import { Downloader } from '../../../src/install/download.ts';
import { Web } from '../../../src/web.ts';
import { fromGithub } from '../../support/downloads.ts';
import { serve } from '../host/server.ts';
import { rejection } from '../rejection.ts';

const BYTES = '#!/bin/sh\necho released\n';
const sumOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const asset: ReleaseAsset = { repository: 'acme/tool', tag: 'v9.9.9', name: 'tool-linux-amd64' };
const PATH = '/acme/tool/releases/download/v9.9.9/tool-linux-amd64';

beforeEach(() => {
  // The library of the tool cache writes its debug lines there.
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'download-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** GitHub's API as a test has it: nothing else outside of this machine answers. */
function github(
  digests: Readonly<Record<string, string | null>> = {},
  status = 200,
): { readonly agent: MockAgent; readonly asked: { readonly path: string; readonly authorization: string }[] } {
  const asked: { path: string; authorization: string }[] = [];
  const agent = new MockAgent();
  agent.disableNetConnect();
  agent.enableNetConnect(/^(127\.0\.0\.1|localhost)/);
  const assets = Object.entries(digests).map(([name, digest]) => ({ name, digest }));
  agent
    .get('https://api.github.com')
    .intercept({ path: /./ })
    .reply(({ path, headers }) => {
      const authorization = new Headers(headers as Record<string, string>).get('authorization') ?? 'nobody';
      asked.push({ path, authorization });
      return { statusCode: status, data: JSON.stringify({ assets }) };
    })
    .persist();
  return { agent, asked };
}

/** A downloader from a mirror that has these files, by path; all others are 404. */
async function downloading(
  files: Readonly<Record<string, string>>,
  inputs: Partial<DownloadInputs> = {},
  { agent } = github(),
  env: NodeJS.ProcessEnv = {},
) {
  const { url, received } = await serve((response, _number, { path }) => {
    const text = files[path];
    response.writeHead(text === undefined ? 404 : 200).end(text);
  });
  const directory = temporary();
  const cache = temporary();
  vi.stubEnv('RUNNER_TEMP', temporary());
  vi.stubEnv('RUNNER_TOOL_CACHE', cache);
  const warnings: string[] = [];
  const all: DownloadInputs = { ...fromGithub, mirror: url, checksumPolicy: 'mirror', ...inputs };
  const { signal } = new AbortController();
  const warn = (text: string): unknown => warnings.push(text);
  /** A downloader of another job on the same runner. */
  const fresh = (): Downloader => new Downloader(all, { env, directory, signal, warn }, new Web(signal, agent));
  return { url, received, directory, cache, warnings, downloader: fresh(), fresh };
}

/** A file of sums. */
function sumsFile(text: string): string {
  const file = join(temporary(), 'sums');
  writeFileSync(file, text);
  return file;
}

describe('a mirror with sums', () => {
  it('gives the file when its sum is right', async () => {
    const files = { [PATH]: BYTES, [`${PATH}.sha256`]: `${sumOf(BYTES)}  tool-linux-amd64\n` };
    const { downloader, directory, received } = await downloading(files);
    const file = await downloader.file(asset, join('a', 'tool'));
    expect(file).toBe(join(directory, 'a', 'tool'));
    expect(readFileSync(file, 'utf8')).toBe(BYTES);
    expect(received.map(({ path }) => path)).toEqual([`${PATH}.sha256`, PATH]);
  });

  it('replaces what an earlier run left', async () => {
    const files = { [PATH]: BYTES, [`${PATH}.sha256`]: sumOf(BYTES) };
    const { downloader, directory } = await downloading(files);
    writeFileSync(join(directory, 'tool'), 'left over');
    expect(readFileSync(await downloader.file(asset, 'tool'), 'utf8')).toBe(BYTES);
  });

  it('is refused when the sum is wrong, with both', async () => {
    const { downloader } = await downloading({ [PATH]: BYTES, [`${PATH}.sha256`]: sumOf('other') });
    expect(await rejection(downloader.file(asset, 'tool'))).toMatchObject({
      code: 'KNEST_CHECKSUM',
      problem: 'acme/tool/v9.9.9/tool-linux-amd64 is not what was released: its sha256 is wrong',
      evidence: [`expected ${sumOf('other')}`, `received ${sumOf(BYTES)}`],
    });
  });

  it.each(['', 'not a sum', sumOf(BYTES).slice(1)])('is refused when %j is no sum', async (text) => {
    const { url, downloader, directory } = await downloading({ [PATH]: BYTES, [`${PATH}.sha256`]: text });
    expect(await rejection(downloader.file(asset, 'tool'))).toMatchObject({
      code: 'KNEST_CHECKSUM',
      problem: `${url}${PATH}.sha256 does not begin with a sha256 sum`,
    });
    expect(existsSync(join(directory, 'tool'))).toBe(false);
  });

  it('is refused without the file of the sum, before the asset is asked for', async () => {
    const { url, downloader, received } = await downloading({ [PATH]: BYTES });
    expect(await rejection(downloader.file(asset, 'tool'))).toMatchObject({
      code: 'KNEST_DOWNLOAD',
      problem: `${url}${PATH}.sha256 cannot be downloaded: it answers 404 Not Found`,
    });
    expect(received.map(({ path }) => path)).toEqual([`${PATH}.sha256`]);
  });

  it('that lacks the asset is told with advice about the version', async () => {
    const { downloader } = await downloading({ [`${PATH}.sha256`]: sumOf(BYTES) });
    expect(await rejection(downloader.file(asset, 'tool'))).toMatchObject({
      code: 'KNEST_DOWNLOAD',
      next: 'check the version inputs: this release, or this file of it, does not exist',
    });
  });
});

describe('a file of a repository', () => {
  const inTree = { ...asset, name: 'deploy/tool.yaml', inTree: true } as const;
  const path = '/acme/tool/raw/v9.9.9/deploy/tool.yaml';

  it('lies beside its sum on a mirror, as an asset does', async () => {
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

describe('the digests of GitHub', () => {
  const name = asset.name;

  it('are what an asset is verified by where the table knows none', async () => {
    const digests = github({ older: null, [name]: `sha256:${sumOf(BYTES)}` });
    const inputs = { checksumPolicy: 'require', githubToken: 't' } as const;
    const { downloader } = await downloading({ [PATH]: BYTES }, inputs, digests);
    expect(readFileSync(await downloader.file(asset, 'tool'), 'utf8')).toBe(BYTES);
    await downloader.file(asset, 'again');
    // One request a release.
    expect(digests.asked).toEqual([{ path: '/repos/acme/tool/releases/tags/v9.9.9', authorization: 'Bearer t' }]);
  });

  it('are asked without the token of another server', async () => {
    const digests = github({ [name]: `sha256:${sumOf(BYTES)}` });
    const inputs = { checksumPolicy: 'require', githubToken: 'ghs_of_the_enterprise' } as const;
    const env = { GITHUB_SERVER_URL: 'https://github.example.com' };
    const { downloader } = await downloading({ [PATH]: BYTES }, inputs, digests, env);
    expect(readFileSync(await downloader.file(asset, 'tool'), 'utf8')).toBe(BYTES);
    expect(digests.asked.map(({ authorization }) => authorization)).toEqual(['nobody']);
  });

  it.each(['require', 'warn'] as const)('refuse another file, by the policy %s too', async (checksumPolicy) => {
    const digests = github({ [name]: `sha256:${sumOf('other')}` });
    const { downloader } = await downloading({ [PATH]: BYTES }, { checksumPolicy }, digests);
    expect(await rejection(downloader.file(asset, 'tool'))).toMatchObject({ code: 'KNEST_CHECKSUM' });
  });

  it('are missing: nothing is downloaded', async () => {
    const { downloader, directory, received } = await downloading({ [PATH]: BYTES }, { checksumPolicy: 'require' });
    expect(await rejection(downloader.file(asset, 'tool'))).toMatchObject({
      code: 'KNEST_CHECKSUM',
      problem: 'no known checksum for acme/tool/v9.9.9/tool-linux-amd64',
      evidence: ['release v9.9.9 of acme/tool has no asset tool-linux-amd64'],
      next: 'check the version inputs',
    });
    expect(received).toEqual([]);
    expect(existsSync(join(directory, 'tool'))).toBe(false);
  });

  it('may be missing by the policy warn, with a warning', async () => {
    const digests = github({ [name]: null });
    const { downloader, warnings } = await downloading({ [PATH]: BYTES }, { checksumPolicy: 'warn' }, digests);
    expect(readFileSync(await downloader.file(asset, 'tool'), 'utf8')).toBe(BYTES);
    expect(warnings).toEqual([
      'acme/tool/v9.9.9/tool-linux-amd64 is used unverified: GitHub has no SHA-256 of tool-linux-amd64: the release is too old (checksum-policy: warn)',
    ]);
  });
});

describe('a file of sums', () => {
  const line = (text: string): string => `${sumOf(text)}  .${PATH}\n`;

  it('verifies what comes from a mirror, and nobody else is asked', async () => {
    const digests = github();
    const inputs = { checksumPolicy: 'require', checksumsFile: sumsFile(line(BYTES)) } as const;
    const { downloader, received } = await downloading({ [PATH]: BYTES }, inputs, digests);
    expect(readFileSync(await downloader.file(asset, 'tool'), 'utf8')).toBe(BYTES);
    expect(received.map(({ path }) => path)).toEqual([PATH]);
    expect(digests.asked).toEqual([]);
  });

  it.each(['require', 'mirror', 'warn'] as const)('refuses other bytes by the policy %s', async (checksumPolicy) => {
    const inputs = { checksumPolicy, checksumsFile: sumsFile(line('other')) };
    const files = { [PATH]: BYTES, [`${PATH}.sha256`]: sumOf(BYTES) };
    const { downloader } = await downloading(files, inputs);
    expect(await rejection(downloader.file(asset, 'tool'))).toMatchObject({
      code: 'KNEST_CHECKSUM',
      evidence: [`expected ${sumOf('other')}`, `received ${sumOf(BYTES)}`],
    });
  });
});

describe('a mirror with a password', () => {
  it('is sent it in a header, and no message has it', async () => {
    const files = { [PATH]: BYTES, [`${PATH}.sha256`]: sumOf(BYTES) };
    const { downloader, received } = await downloading(files, { mirrorLogin: 'ci:s3cret' });
    await downloader.file(asset, 'tool');
    const expected = `Basic ${Buffer.from('ci:s3cret').toString('base64')}`;
    expect(received.map(({ headers }) => headers.authorization)).toEqual([expected, expected]);
    const missing = await rejection(downloader.file({ ...asset, tag: 'v0' }, 'other'));
    expect(String(missing)).not.toContain('s3cret');
  });
});

describe('a file that the user names by its address', () => {
  const url = 'https://github.com/acme/shop/raw/main/blob/t.yaml';
  const file = (sha256: string | undefined): WebFile => ({ kind: 'url', url, sha256 });
  const files = { '/acme/shop/raw/main/blob/t.yaml': BYTES };

  it('is downloaded, by way of the mirror when it is on GitHub', async () => {
    const { downloader, directory, warnings } = await downloading(files);
    expect(await downloader.webFile(file(sumOf(BYTES)), 't.yaml')).toBe(join(directory, 't.yaml'));
    expect(readFileSync(join(directory, 't.yaml'), 'utf8')).toBe(BYTES);
    expect(warnings).toEqual([]);
  });

  it('may be given as the page that shows it on GitHub', async () => {
    const page = url.replace('raw', 'blob');
    const { downloader } = await downloading(files);
    await expect(downloader.webFile({ ...file(sumOf(BYTES)), url: page }, 't.yaml')).resolves.toBeDefined();
  });

  it('is used with a warning where no sum was named', async () => {
    const { downloader, warnings } = await downloading(files, { checksumPolicy: 'warn' });
    await downloader.webFile(file(undefined), 't.yaml');
    expect(warnings).toEqual([`${url} is used unverified: it has no #sha256= (checksum-policy: warn)`]);
  });

  it('is refused when it has other bytes than were asked for', async () => {
    const { downloader, directory } = await downloading(files);
    expect(await rejection(downloader.webFile(file(sumOf('other')), 't.yaml'))).toMatchObject({
      code: 'KNEST_CHECKSUM',
      evidence: [`expected ${sumOf('other')}`, `received ${sumOf(BYTES)}`],
    });
    expect(existsSync(join(directory, 't.yaml'))).toBe(false);
  });

  it('that is not there is told with advice about the address', async () => {
    const { downloader } = await downloading({});
    expect(await rejection(downloader.webFile(file(sumOf(BYTES)), 't.yaml'))).toMatchObject({
      code: 'KNEST_DOWNLOAD',
      next: 'check the address: there is no such file',
    });
  });

  it('is verified as every asset is when it is one of a release', async () => {
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

  it('is executable by its owner alone, and kept for the next job', async () => {
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

  it('that was tampered with in the cache is replaced, there too', async () => {
    const { downloader, fresh, cache, warnings } = await downloading(files);
    await downloader.program(asset, 'tool');
    writeFileSync(cached(cache), 'evil');
    expect(readFileSync(await fresh().program(asset, 'tool'), 'utf8')).toBe(BYTES);
    expect(warnings).toEqual([
      'acme/tool/v9.9.9/tool-linux-amd64 in the tool cache is not what was released: downloading it again',
    ]);
    expect(readFileSync(cached(cache), 'utf8')).toBe(BYTES);
  });

  it('that is not the released one is neither executable nor kept', async () => {
    const { downloader, directory, cache } = await downloading({ ...files, [PATH]: 'evil' });
    expect(await rejection(downloader.program(asset, 'tool'))).toMatchObject({ code: 'KNEST_CHECKSUM' });
    expect(existsSync(cached(cache))).toBe(false);
    const left = join(directory, 'tool');
    expect(existsSync(left) && (statSync(left).mode & 0o111) !== 0).toBe(false);
  });

  it('is used all the same when the cache cannot be written', async () => {
    const { downloader, cache, warnings } = await downloading(files);
    writeFileSync(join(cache, 'tool'), 'a file in the place of the directory');
    expect(readFileSync(await downloader.program(asset, 'tool'), 'utf8')).toBe(BYTES);
    expect(warnings).toEqual([expect.stringMatching(/^tool could not be kept in the tool cache: /)]);
  });
});
