import { describe, expect, it } from 'vitest';
import { problems, readCreate } from './given-inputs.ts';

const SUM = 'ab'.repeat(32);
const ASSET = 'https://github.com/acme/shop/releases/download/v1.0.0/t.yaml';
const ANYWHERE = 'https://example.com/t.yaml?token=s3cret';
/** The same address in a message. */
const SHOWN = 'https://example.com/t.yaml';

/** Both inputs that accept an address follow the same rules. */
describe.each(['cluster-template', 'cni'])('an address in %s', (input) => {
  const read = (text: string, others: Readonly<Record<string, string>> = {}): unknown => {
    const { cni, clusterTemplate } = readCreate({ [input]: text, ...others });
    return input === 'cni' ? cni : clusterTemplate;
  };

  it.each([
    [`${ANYWHERE}#sha256=${SUM}`, ANYWHERE],
    [`${ANYWHERE}#sha256=${SUM.toUpperCase()}`, ANYWHERE],
    [`http://mirror/t.yaml#sha256=${SUM}`, 'http://mirror/t.yaml'],
    [`${ASSET}#sha256=${SUM}`, ASSET],
  ])('with a checksum is accepted: %s', (text, url) => expect(read(text)).toEqual({ kind: 'url', url, sha256: SUM }));

  it('needs no checksum when it is a release asset, since GitHub has its digest', () => {
    expect(read(ASSET)).toEqual({ kind: 'url', url: ASSET, sha256: undefined });
  });

  it('needs no checksum when the policy allows unverified downloads', () => {
    const source = read(ANYWHERE, { 'checksum-policy': 'warn' });
    expect(source).toEqual({ kind: 'url', url: ANYWHERE, sha256: undefined });
  });

  it.each<[string, Readonly<Record<string, string>>, string]>([
    [ANYWHERE, {}, `${SHOWN} has no checksum; append #sha256= and its checksum, or set checksum-policy to warn`],
    [
      'https://github.com/acme/shop/raw/main/t.yaml',
      {},
      'https://github.com/acme/shop/raw/main/t.yaml has no checksum; append #sha256= and its checksum, or set checksum-policy to warn',
    ],
    [
      'http://example.com/t.yaml',
      { 'checksum-policy': 'warn' },
      'http://example.com/t.yaml can be modified in transit; use https, or append #sha256= and its checksum',
    ],
    [
      `${ANYWHERE}#sha256=abc`,
      {},
      'what follows the # is not a checksum; for example #sha256=, then the 64 digits of sha256sum',
    ],
    ['ftp://example.com/t.yaml', {}, '"ftp://example.com/t.yaml" is not an https URL'],
    ['https://', {}, '"https://" is not an https URL'],
    ['ftp://ci:s3cret@example.com/t.yaml', {}, 'it is not an https URL'],
    ['https://ci:s3cret', {}, 'it is not an https URL'],
    [
      `https://ci:s3cret@example.com/t.yaml#sha256=${SUM}`,
      {},
      'contains a user name or a password; download the file in an earlier step, and pass its path',
    ],
  ])('is refused as %s with %o', (text, others, problem) => {
    expect(problems({ [input]: text, ...others })).toEqual([`${input}: ${problem}`]);
  });
});
