import { describe, expect, it } from 'vitest';
import { forMirrorScript } from '../../../scripts/mirror-messages.ts';
import { inputError } from '../../../src/errors.ts';
import { ADVICE_ON_MISSING_SUM, adviceOnDownload, adviceOnMissing } from '../../../src/install/download/advice.ts';

const OPTIONS = ['mirror', 'checksums-file', 'checksum-policy', 'virtink-version'];

describe('a message of npm run mirror', () => {
  it('names the options of the command line that cannot be used', () => {
    const { message } = inputError(['checksum-policy: is mirror, but no mirror is set', 'virtink-version: is missing']);
    expect(forMirrorScript(message, OPTIONS)).toBe(
      '2 options cannot be used; nothing was fetched (KNEST_INPUT)\n' +
        '--checksum-policy: is mirror, but no mirror is set\n--virtink-version: is missing',
    );
  });

  it.each([
    ['set github-token to a token of github.com, run the job again later, or pass the sums in checksums-file'],
    ['add its sum to checksums-file, or accept it unverified with checksum-policy: warn'],
    [ADVICE_ON_MISSING_SUM],
    ...(['versions', 'address', 'action'] as const).map((origin) => [adviceOnMissing(origin, false)]),
    ...[true, false].map((isOnGithub) => [
      adviceOnDownload(new Error('reset'), { isOnGithub, isOnMirror: false, hasMirror: false, whenMissing: '' }),
    ]),
  ])('names options and variables in its advice: %s', (advice) => {
    const text = forMirrorScript(advice, OPTIONS);
    expect(text).not.toMatch(/\binputs?\b|\bgithub-token\b|\bjob\b|\brunner\b|\bset mirror\b/);
    expect(text).not.toMatch(/(?<!--)checksum(?:s-file|-policy)/);
  });

  it('keeps what is not about options', () => {
    for (const text of ['fetched  owner/name/releases/download/v1/mirror.yaml', 'put it on the mirror under this path'])
      expect(forMirrorScript(text, OPTIONS)).toBe(text);
  });
});
