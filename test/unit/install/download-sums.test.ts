import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { rejection } from '../rejection.ts';
import { asset, BYTES, downloading, github, PATH, sumOf, temporary } from './downloading.ts';

afterEach(() => vi.unstubAllEnvs());

/** A file with these checksums. */
function sumsFile(text: string): string {
  const file = join(temporary(), 'sums');
  writeFileSync(file, text);
  return file;
}

describe('the digests of GitHub', () => {
  const name = asset.name;

  it('verify an asset that the built-in table does not list', async () => {
    const digests = github({ older: null, [name]: `sha256:${sumOf(BYTES)}` });
    const inputs = { checksumPolicy: 'require', githubToken: 't' } as const;
    const { downloader } = await downloading({ [PATH]: BYTES }, inputs, digests);
    expect(readFileSync(await downloader.file(asset, 'tool'), 'utf8')).toBe(BYTES);
    await downloader.file(asset, 'again');
    // One request for each release.
    expect(digests.asked).toEqual([{ path: '/repos/acme/tool/releases/tags/v9.9.9', authorization: 'Bearer t' }]);
  });

  it('are requested without the token of another server', async () => {
    const digests = github({ [name]: `sha256:${sumOf(BYTES)}` });
    const inputs = { checksumPolicy: 'require', githubToken: 'ghs_of_the_enterprise' } as const;
    const env = { GITHUB_SERVER_URL: 'https://github.example.com' };
    const { downloader } = await downloading({ [PATH]: BYTES }, inputs, digests, env);
    expect(readFileSync(await downloader.file(asset, 'tool'), 'utf8')).toBe(BYTES);
    expect(digests.asked.map(({ authorization }) => authorization)).toEqual(['nobody']);
  });

  it.each(['require', 'warn'] as const)(
    'cause another file to be refused, even with the policy %s',
    async (checksumPolicy) => {
      const digests = github({ [name]: `sha256:${sumOf('other')}` });
      const { downloader } = await downloading({ [PATH]: BYTES }, { checksumPolicy }, digests);
      expect(await rejection(downloader.file(asset, 'tool'))).toMatchObject({ code: 'KNEST_CHECKSUM' });
    },
  );

  it('are required: without them, nothing is downloaded', async () => {
    const { downloader, directory, received } = await downloading({ [PATH]: BYTES }, { checksumPolicy: 'require' });
    expect(await rejection(downloader.file(asset, 'tool'))).toMatchObject({
      code: 'KNEST_CHECKSUM',
      problem: 'no known checksum for acme/tool/v9.9.9/tool-linux-amd64',
      evidence: ['release v9.9.9 of acme/tool has no asset tool-linux-amd64'],
      next: 'check the version inputs: this release, or this file of it, does not exist',
    });
    expect(received).toEqual([]);
    expect(existsSync(join(directory, 'tool'))).toBe(false);
  });

  it('may be missing with the policy warn, with a warning', async () => {
    const digests = github({ [name]: null });
    const { downloader, warnings } = await downloading({ [PATH]: BYTES }, { checksumPolicy: 'warn' }, digests);
    expect(readFileSync(await downloader.file(asset, 'tool'), 'utf8')).toBe(BYTES);
    expect(warnings).toEqual([
      'acme/tool/v9.9.9/tool-linux-amd64 is used unverified: GitHub has no SHA-256 of tool-linux-amd64: the release is too old (checksum-policy: warn)',
    ]);
  });
});

describe('a checksums file', () => {
  const line = (text: string): string => `${sumOf(text)}  .${PATH}\n`;

  it('verifies downloads from a mirror, without any other request', async () => {
    const digests = github();
    const inputs = { checksumPolicy: 'require', checksumsFile: sumsFile(line(BYTES)) } as const;
    const { downloader, received } = await downloading({ [PATH]: BYTES }, inputs, digests);
    expect(readFileSync(await downloader.file(asset, 'tool'), 'utf8')).toBe(BYTES);
    expect(received.map(({ path }) => path)).toEqual([PATH]);
    expect(digests.asked).toEqual([]);
  });

  it.each(['require', 'mirror', 'warn'] as const)(
    'causes other bytes to be refused with the policy %s',
    async (checksumPolicy) => {
      const inputs = { checksumPolicy, checksumsFile: sumsFile(line('other')) };
      const files = { [PATH]: BYTES, [`${PATH}.sha256`]: sumOf(BYTES) };
      const { downloader } = await downloading(files, inputs);
      expect(await rejection(downloader.file(asset, 'tool'))).toMatchObject({
        code: 'KNEST_CHECKSUM',
        evidence: [`expected ${sumOf('other')}`, `received ${sumOf(BYTES)}`],
      });
    },
  );
});

describe('a mirror with a password', () => {
  it('gets it in a header, and no message contains it', async () => {
    const files = { [PATH]: BYTES, [`${PATH}.sha256`]: sumOf(BYTES) };
    const { downloader, received } = await downloading(files, { mirrorLogin: 'ci:s3cret' });
    await downloader.file(asset, 'tool');
    const expected = `Basic ${Buffer.from('ci:s3cret').toString('base64')}`;
    expect(received.map(({ headers }) => headers.authorization)).toEqual([expected, expected]);
    const missing = await rejection(downloader.file({ ...asset, tag: 'v0' }, 'other'));
    expect(String(missing)).not.toContain('s3cret');
  });
});
