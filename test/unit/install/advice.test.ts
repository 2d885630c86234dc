import { Response } from 'undici';
import { describe, expect, it } from 'vitest';
import { adviceOnDownload, adviceOnMissing, type DownloadPlace } from '../../../src/install/advice.ts';
import { WebError } from '../../../src/web.ts';

const github: DownloadPlace = { isOnGithub: true, isOnMirror: false, hasMirror: false, whenMissing: 'look for it' };
const mirror: DownloadPlace = { ...github, isOnGithub: false, isOnMirror: true, hasMirror: true };
const elsewhere: DownloadPlace = { ...github, isOnGithub: false };

const answer = (status: number, headers: Record<string, string> = {}): WebError =>
  new WebError(new Response(null, { status, headers }));
const silence = new Error('connect ECONNREFUSED');

describe('adviceOnDownload', () => {
  it.each<[string, DownloadPlace, Error, string]>([
    [
      'GitHub, silent',
      github,
      silence,
      'check that this runner can reach the address (HTTPS_PROXY, NO_PROXY), or set mirror',
    ],
    ['the mirror, silent', mirror, silence, 'check that this runner can reach the address (HTTPS_PROXY, NO_PROXY)'],
    // No mirror replaces another address than those of GitHub.
    ['elsewhere, silent', elsewhere, silence, 'check that this runner can reach the address (HTTPS_PROXY, NO_PROXY)'],
    [
      'GitHub, refusing',
      github,
      answer(403),
      'check what the proxy or firewall of this runner lets through, or set mirror',
    ],
    ['the mirror, refusing', mirror, answer(401), 'check the user and the password in mirror'],
    [
      'elsewhere, refusing',
      elsewhere,
      answer(401),
      'the action has no login for this address: download the file in a step before this one, and give its path',
    ],
    ['GitHub, limiting', github, answer(429), 'run the job again later, or set mirror'],
    ['GitHub, limiting by 403', github, answer(403, { 'retry-after': '60' }), 'run the job again later, or set mirror'],
    ['the mirror, limiting', mirror, answer(429), 'run the job again later'],
    ['GitHub, without the file', github, answer(404), 'look for it'],
    ['the mirror, without the file', mirror, answer(404), 'look for it'],
  ])('fits %s', (_what, place, thrown, advice) => {
    expect(adviceOnDownload(thrown, place)).toBe(advice);
  });
});

describe('adviceOnMissing', () => {
  it('names the version inputs for what they choose, and for nothing else', () => {
    for (const isOnMirror of [false, true]) {
      expect(adviceOnMissing('versions', isOnMirror)).toContain('version inputs');
      expect(adviceOnMissing('address', isOnMirror)).not.toContain('version inputs');
      expect(adviceOnMissing('action', isOnMirror)).not.toContain('version inputs');
    }
  });

  it('asks for a mirror only where there is none', () => {
    expect(adviceOnMissing('action', false)).toMatch(/^set mirror /);
    expect(adviceOnMissing('action', true)).not.toContain('set mirror');
  });
});
