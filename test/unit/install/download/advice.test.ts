import { Response } from 'undici';
import { describe, expect, it } from 'vitest';
import { adviceOnDownload, adviceOnMissing, type DownloadPlace } from '../../../../src/install/download/advice.ts';
import { WebError } from '../../../../src/web.ts';

const github: DownloadPlace = { isOnGithub: true, isOnMirror: false, hasMirror: false, whenMissing: 'look for it' };
const mirror: DownloadPlace = { ...github, isOnGithub: false, isOnMirror: true, hasMirror: true };
const elsewhere: DownloadPlace = { ...github, isOnGithub: false };

const answer = (status: number, headers: Record<string, string> = {}): WebError =>
  new WebError(new Response(null, { status, headers }));
const silence = new Error('connect ECONNREFUSED');

describe('adviceOnDownload', () => {
  it.each<[string, DownloadPlace, Error, string]>([
    [
      'GitHub without an answer',
      github,
      silence,
      'check that this runner can reach the address (HTTPS_PROXY, NO_PROXY), or set mirror',
    ],
    [
      'the mirror without an answer',
      mirror,
      silence,
      'check that this runner can reach the address (HTTPS_PROXY, NO_PROXY)',
    ],
    // A mirror only replaces addresses on GitHub.
    [
      'another server without an answer',
      elsewhere,
      silence,
      'check that this runner can reach the address (HTTPS_PROXY, NO_PROXY)',
    ],
    [
      'a refusal of GitHub',
      github,
      answer(403),
      'check what the proxy or firewall of this runner lets through, or set mirror',
    ],
    ['a refusal of the mirror', mirror, answer(401), 'check the user and the password in mirror'],
    [
      'a refusal of another server',
      elsewhere,
      answer(401),
      'the action has no login for this address: download the file in an earlier step, and pass its path',
    ],
    ['a rate limit of GitHub', github, answer(429), 'run the job again later, or set mirror'],
    [
      'a rate limit of GitHub with status 403',
      github,
      answer(403, { 'retry-after': '60' }),
      'run the job again later, or set mirror',
    ],
    ['a rate limit of the mirror', mirror, answer(429), 'run the job again later'],
    ['a missing file on GitHub', github, answer(404), 'look for it'],
    ['a missing file on the mirror', mirror, answer(404), 'look for it'],
  ])('fits %s', (_what, place, thrown, advice) => {
    expect(adviceOnDownload(thrown, place)).toBe(advice);
  });
});

describe('adviceOnMissing', () => {
  it('mentions the version inputs only for assets that they select', () => {
    for (const isOnMirror of [false, true]) {
      expect(adviceOnMissing('versions', isOnMirror)).toContain('version inputs');
      expect(adviceOnMissing('address', isOnMirror)).not.toContain('version inputs');
      expect(adviceOnMissing('action', isOnMirror)).not.toContain('version inputs');
    }
  });

  it('suggests a mirror only when there is none', () => {
    expect(adviceOnMissing('action', false)).toMatch(/^set mirror /);
    expect(adviceOnMissing('action', true)).not.toContain('set mirror');
  });
});
