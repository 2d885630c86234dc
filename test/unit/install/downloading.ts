import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Headers, MockAgent } from 'undici';
import { onTestFinished, vi } from 'vitest';
import type { DownloadInputs } from '../../../src/inputs.ts';
import type { ReleaseAsset } from '../../../src/catalog/release-asset.ts';
import { Downloader } from '../../../src/install/download.ts';
import { Web } from '../../../src/web.ts';
import { fromGithub } from '../../support/downloads.ts';
import { serve } from '../host/server.ts';

/** What an asset consists of. */
export const BYTES = '#!/bin/sh\necho released\n';
export const sumOf = (text: string): string => createHash('sha256').update(text).digest('hex');
export const asset: ReleaseAsset = { repository: 'acme/tool', tag: 'v9.9.9', name: 'tool-linux-amd64' };
export const PATH = '/acme/tool/releases/download/v9.9.9/tool-linux-amd64';

export function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'download-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** GitHub's API as a test has it: nothing else outside of this machine answers. */
export function github(
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
      const authorization = new Headers(headers).get('authorization') ?? 'nobody';
      asked.push({ path, authorization });
      return { statusCode: status, data: JSON.stringify({ assets }) };
    })
    .persist();
  return { agent, asked };
}

/** A downloader from a mirror that has these files, by path; all others are 404. */
export async function downloading(
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
