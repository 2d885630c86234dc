import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MockAgent } from 'undici';
import { describe, expect, it } from 'vitest';
import { fillMirror } from '../../../scripts/mirror-directory.ts';
import type { DownloadInputs } from '../../../src/inputs.ts';
import { Web } from '../../../src/web.ts';
import { fromGithub } from '../../support/downloads.ts';
import { serve } from '../host/server.ts';
import { asset, BYTES, github, PATH, sumOf, temporary } from '../install/downloading.ts';

/** Fills a directory with one asset from a server that has it. GitHub's API is `agent`. */
async function fill(agent: MockAgent, inputs: Partial<DownloadInputs> = {}, directory = temporary()) {
  const { url, received } = await serve((response) => response.end(BYTES));
  const lines: string[] = [];
  const { signal } = new AbortController();
  const tally = await fillMirror([asset, { ...asset, name: 'other' }], directory, {
    inputs: { ...fromGithub, mirror: url, ...inputs },
    env: {},
    signal,
    web: new Web(signal, agent),
    print: (line) => lines.push(line),
    fail: (_path, error) => lines.push(error.message),
  });
  return { directory, tally, lines, received };
}

describe('a mirror', () => {
  it('has what GitHub has the digest of', async () => {
    const digest = `sha256:${sumOf(BYTES)}`;
    const { tally, directory } = await fill(github({ [asset.name]: digest, other: digest }).agent);
    expect(tally).toEqual({ fetched: 2, present: 0, failed: 0, untried: 0 });
    expect(readFileSync(join(directory, 'knest.sha256'), 'utf8')).toContain(`${sumOf(BYTES)}  ${PATH.slice(1)}\n`);
    expect(readFileSync(join(directory, `${PATH}.sha256`), 'utf8')).toBe(`${sumOf(BYTES)}  ${asset.name}\n`);
  });

  it('has nothing that nobody knows the sum of, unless that is accepted, once', async () => {
    const digests = { [asset.name]: null, other: null };
    const refused = await fill(github(digests).agent);
    expect(refused.tally).toEqual({ fetched: 0, present: 0, failed: 2, untried: 0 });
    expect(refused.received).toEqual([]);
    expect(refused.lines[0]).toBe(
      'no known checksum for acme/tool/v9.9.9/tool-linux-amd64 (KNEST_CHECKSUM)\n' +
        'GitHub has no SHA-256 of tool-linux-amd64: the release is too old\n' +
        'Next: add its sum to checksums-file, or accept it unverified with checksum-policy: warn',
    );
    const inputs = { checksumPolicy: 'warn' } as const;
    const accepted = await fill(github(digests).agent, inputs, refused.directory);
    expect(accepted.tally).toMatchObject({ fetched: 2, failed: 0 });
    expect(accepted.lines[0]).toMatch(/^warning {2}acme\/tool\/v9\.9\.9\/tool-linux-amd64 is used unverified: /);
    const again = await fill(github(digests).agent, inputs, refused.directory);
    expect(again.tally).toMatchObject({ fetched: 0, present: 2 });
    expect(again.received).toEqual([]);
  });

  it('is left at the first file while GitHub limits requests', async () => {
    const { tally, lines } = await fill(github({}, 429).agent);
    expect(tally).toEqual({ fetched: 0, present: 0, failed: 1, untried: 1 });
    expect(lines).toEqual([
      'no known checksum for acme/tool/v9.9.9/tool-linux-amd64 (KNEST_CHECKSUM)\n' +
        'https://api.github.com rejects further requests for now (rate limit)\n' +
        'Next: set github-token to a token of github.com, run the job again later, or pass the sums of the assets in checksums-file',
    ]);
  });
});
