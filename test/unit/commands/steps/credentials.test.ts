import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { keepCredentials, type KeptCredentials } from '../../../../src/commands/steps/credentials.ts';
import type { Connection } from '../../../../src/host/connection.ts';
import { IdTokens } from '../../../../src/host/credentials/id-tokens.ts';
import { makeCertificate } from '../../../support/certificate.ts';

const oidc = { server: 'https://host.example.com', caCertificate: makeCertificate().cert, audience: 'knest:host' };

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'knest-credentials-'))));
afterEach(() => rmSync(directory, { recursive: true }));

/** Keeps the credentials of a host, without a client. */
async function keep(credentials: Connection['credentials']): Promise<KeptCredentials> {
  return keepCredentials({ credentials } as Connection, 'pr-17', directory);
}

function mode(file: string): string {
  return (statSync(file).mode & 0o777).toString(8);
}

describe('a kubeconfig', () => {
  it('is kept as a private copy, for the post step and for programs', async () => {
    const { saved, withKubeconfig } = await keep({ kubeconfig: 'the text' });
    const file = 'hostKubeconfigFile' in saved ? saved.hostKubeconfigFile : '';
    expect(file).toMatch(new RegExp(`^${directory}/host-pr-17-[0-9a-f-]+[.]kubeconfig$`));
    expect(mode(file)).toBe('600');
    expect(await withKubeconfig(async (path) => Promise.resolve(readFileSync(path, 'utf8')))).toBe('the text');
    expect(existsSync(file)).toBe(true);
  });

  it('is kept separately for each use of the action, since each post step removes its own copy', async () => {
    const [first, second] = [await keep({ kubeconfig: 'one' }), await keep({ kubeconfig: 'one' })];
    expect(first.saved).not.toEqual(second.saved);
  });
});

describe('OIDC tokens', () => {
  /** Numbered tokens with this lifetime in seconds. */
  function shortLived(seconds = 4): IdTokens {
    let number = 0;
    const payload = (): string => JSON.stringify({ iat: 10, exp: 10 + seconds, number: ++number });
    return new IdTokens('knest:host', async () => Promise.resolve(`h.${btoa(payload())}.s`));
  }

  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  it('are not kept: the post step requests its own', async () => {
    const { saved } = await keep({ oidc, tokens: shortLived() });
    expect(saved).toEqual({ hostOidc: oidc });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('are in a private file while a program runs, and are renewed', async () => {
    const { withKubeconfig } = await keep({ oidc, tokens: shortLived() });
    const seen = await withKubeconfig(async (file) => {
      const { users } = parse(readFileSync(file, 'utf8')) as { users: [{ user: { tokenFile: string } }] };
      const { tokenFile } = users[0].user;
      const first = readFileSync(tokenFile, 'utf8');
      expect([mode(file), mode(tokenFile)]).toEqual(['600', '600']);
      expect(readFileSync(file, 'utf8')).not.toContain(first);
      vi.advanceTimersByTime(5_000);
      await expect.poll(() => readFileSync(tokenFile, 'utf8'), { timeout: 5_000 }).not.toBe(first);
      return [first, readFileSync(tokenFile, 'utf8')];
    });
    expect(new Set(seen).size).toBe(2);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('are requested at most every five seconds, even with a shorter lifetime', async () => {
    const mint = vi.fn(async () => Promise.resolve(`h.${btoa(JSON.stringify({ iat: 10, exp: 10.01 }))}.s`));
    const { withKubeconfig } = await keep({ oidc, tokens: new IdTokens('knest:host', mint) });
    const minted = await withKubeconfig(async () => {
      const before = mint.mock.calls.length;
      vi.advanceTimersByTime(4_000);
      await new Promise((resolve) => setTimeout(resolve, 100));
      return mint.mock.calls.length - before;
    });
    expect(minted).toBe(0);
  });

  it('leave no file when the program fails', async () => {
    const { withKubeconfig } = await keep({ oidc, tokens: shortLived() });
    await expect(withKubeconfig(async () => Promise.reject(new Error('exit 1')))).rejects.toThrow('exit 1');
    expect(readdirSync(directory)).toEqual([]);
  });
});
