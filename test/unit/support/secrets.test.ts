import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Masker } from '../../support/masker.ts';
import { secretsOfSecret, secretsOfText, SecretSearch } from '../../support/secrets.ts';

// The check that no secret is shown must be able to fail.

const pem = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' });
const key = String(pem);
const [, middle = ''] = key.split('\n');
const token = randomBytes(24).toString('hex');
const kubeconfig = JSON.stringify({
  users: [{ name: 'u', user: { token, 'client-key-data': Buffer.from(key).toString('base64') } }],
});
const encode = (text: string): string => Buffer.from(text).toString('base64');

describe('the secrets of a Secret', () => {
  it('include private keys, line by line, but no certificates', () => {
    const certificate = '-----BEGIN CERTIFICATE-----\nMIICpublicpublicpublic\n-----END CERTIFICATE-----';
    const found = secretsOfSecret({ data: { 'tls.key': encode(key), 'tls.crt': encode(certificate) } });
    expect(found).toContain(middle);
    expect(found.join()).not.toContain('public');
  });

  it('include those in its kubeconfig and bootstrap data, and tokens', () => {
    const found = [
      ...secretsOfSecret({ type: 'cluster.x-k8s.io/secret', data: { value: encode(kubeconfig) } }),
      ...secretsOfSecret({ data: { value: encode('kubeadm join --token abcdef.0123456789abcdef') } }),
      ...secretsOfSecret({
        type: 'bootstrap.kubernetes.io/token',
        data: { 'token-secret': encode('fedcba9876543210') },
      }),
      ...secretsOfSecret({ type: 'kubernetes.io/service-account-token', data: { token: encode('service.account') } }),
    ];
    expect(found).toEqual(
      expect.arrayContaining([token, middle, '0123456789abcdef', 'fedcba9876543210', 'service.account']),
    );
  });

  it('are empty for text that is not YAML', () => expect(secretsOfText('users:\n- {token: "x')).toEqual([]));
});

describe('a search', () => {
  const search = new SecretSearch(secretsOfText(kubeconfig));

  it.each([
    ['a token', `Authorization: Bearer ${token}`],
    ['a line of a key', `debug: ${middle}`],
    ['the base64 of a token in a longer text', encode(`user:${token}!`)],
    ['the kubeconfig as a Secret holds it', encode(kubeconfig)],
    ['a key on the last line of many', `${'fine\n'.repeat(50)}${key}`],
  ])('finds %s, and does not reveal it', (_what, text) => {
    const leaks = search.find(text);
    expect(leaks.length).toBeGreaterThan(0);
    expect(JSON.stringify(leaks)).not.toContain(token);
    expect(JSON.stringify(leaks)).not.toContain(middle);
  });

  it('finds nothing in text without secrets', () => {
    expect(search.find(`${token.slice(0, -1)} ${middle.slice(1)} ${'a'.repeat(100)}`)).toEqual([]);
  });
});

describe('the runner’s masks', () => {
  it('apply from the line that requests them, and in later steps', () => {
    const masker = new Masker();
    expect(masker.shown(`early ${token}\n::add-mask::${token}\nlate ${token}`)).toBe(`early ${token}\nlate ***`);
    expect(masker.shown(token)).toBe('***');
  });

  it('also apply to each line of a value', () => {
    expect(new Masker().shown('::add-mask::first-%25%0Asecond\nfirst-% and second')).toBe('*** and ***');
  });
});
