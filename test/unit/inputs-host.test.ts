import { beforeAll, describe, expect, it } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { problems, read } from './given-inputs.ts';

const server = 'https://host.example.com:6443';
const oidc = { 'host-server': server, 'host-oidc-audience': 'knest:host' };
let pem = '';
let key = '';

beforeAll(() => {
  ({ cert: pem, key } = makeCertificate());
});

function oidcOf(given: Readonly<Record<string, string>>): unknown {
  return read({ ...oidc, ...given }).host.oidc;
}

describe('host-server', () => {
  it('is entered by a token for the audience', () => {
    expect(oidcOf({})).toEqual({ server, audience: 'knest:host', caCertificate: undefined });
    expect(oidcOf({ 'host-server': 'https://proxy.example.com/clusters/c-1/' })).toMatchObject({
      server: 'https://proxy.example.com/clusters/c-1',
    });
  });

  it('is entered by a kubeconfig when it is blank', () => {
    expect(read().host.oidc).toBeUndefined();
  });

  it.each([
    ['http://host:6443', '"http://host:6443" is http: a token is only sent over https'],
    ['host:6443', '"host:6443" is no https URL; for example https://host.example.com:6443'],
    ['ftp://host', '"ftp://host" is no https URL; for example https://host.example.com:6443'],
    ['https://ci:hunter2@host', 'has a user in it; the token says who asks'],
    ['https://host/?a=b', '"https://host/?a=b" has a query or fragment; an address ends before it'],
  ])('is not %s', (text, problem) => {
    expect(problems({ ...oidc, 'host-server': text })).toEqual([`host-server: ${problem}`]);
  });

  it.each([
    [{ 'host-kubeconfig': 'x' }, 'host-kubeconfig'],
    [{ 'host-kubeconfig-file': 'x' }, 'host-kubeconfig-file'],
    [{ 'host-kubeconfig': 'x', 'host-context': 'c' }, 'host-kubeconfig and host-context'],
  ])('is not set together with a kubeconfig: %o', (given, names) => {
    expect(problems({ ...oidc, ...given })).toEqual([
      `host-server: is set together with ${names}; set it, or a kubeconfig`,
    ]);
  });

  it('is not left out when what goes with it is there', () => {
    expect(problems({ 'host-oidc-audience': 'knest:host' })).toEqual([
      'host-server: is missing, but host-oidc-audience is set, which goes with it',
    ]);
    expect(problems({ 'host-ca-certificate': pem })).toEqual([
      'host-server: is missing, but host-ca-certificate is set, which goes with it',
    ]);
  });
});

describe('host-oidc-audience', () => {
  it('must be told: a token for everybody could be used elsewhere', () => {
    expect(problems({ 'host-server': server })).toEqual([
      'host-oidc-audience: is missing; the audience that the host expects, for example knest:my-host',
    ]);
  });
});

describe('host-ca-certificate', () => {
  it('is PEM, or its base64', () => {
    expect(oidcOf({ 'host-ca-certificate': pem })).toMatchObject({ caCertificate: pem });
    expect(oidcOf({ 'host-ca-certificate': btoa(pem) })).toMatchObject({ caCertificate: pem });
    const two = `# one\n${pem}\n# other\n${pem}`;
    expect(oidcOf({ 'host-ca-certificate': two })).toMatchObject({ caCertificate: pem + pem });
  });

  it('is nothing else, and not repeated', () => {
    const broken = pem.replace(/\n.{10}/, '\n**********');
    for (const text of ['/etc/ca.crt', 'aGVsbG8=', key, broken]) {
      expect(problems({ ...oidc, 'host-ca-certificate': text })).toEqual([
        'host-ca-certificate: is no certificate: PEM, or its base64 as in a kubeconfig',
      ]);
    }
  });
});
