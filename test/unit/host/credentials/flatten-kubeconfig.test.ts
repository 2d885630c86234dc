import { describe, expect, it } from 'vitest';
import { portable } from '../../../../src/host/credentials/flatten-kubeconfig.ts';
import { parseKubeconfig } from '../../../../src/host/kubeconfig/kubeconfig.ts';
import { loginOf, nobody, type Login } from '../../../../src/host/kubeconfig/login.ts';
import { makeCertificate } from '../../../support/certificate.ts';
import { configFor } from '../server.ts';

const { cluster } = configFor('https://host.example.com');
const bare: Login = { context: 'c', cluster, user: nobody('u') };

const reread = (text: string): Login => loginOf(parseKubeconfig(text, 'copy'), undefined, 'copy', {});

describe('portable', () => {
  it('keeps what a plugin, an auth provider and an impersonation need', () => {
    const login: Login = {
      ...bare,
      cluster: { ...cluster, tlsServerName: 'api', disableCompression: true, execConfig: { audience: 'a' } },
      user: {
        ...bare.user,
        authProvider: { name: 'oidc', config: new Map([['id-token', 't']]) },
        impersonate: { user: 'dev', uid: '7', groups: ['a', 'b'], extra: new Map([['scope', ['x', 'y']]]) },
      },
    };
    const copy = reread(portable(login));
    expect(copy.cluster).toMatchObject({
      tlsServerName: 'api',
      disableCompression: true,
      execConfig: { audience: 'a' },
    });
    expect(copy.user).toMatchObject({ authProvider: login.user.authProvider, impersonate: login.user.impersonate });
  });

  it('keeps that certificates are not verified, and the last answer of a plugin', () => {
    const insecure: Login = { ...bare, cluster: { ...cluster, insecureSkipTlsVerify: true } };
    const copy = reread(portable(insecure, { token: 't', certificate: '', key: '', expires: '2999-01-01T00:00:00Z' }));
    expect(copy.cluster.insecureSkipTlsVerify).toBe(true);
    expect(copy.user.lastAnswer).toEqual({ token: 't', expirationTimestamp: '2999-01-01T00:00:00Z' });
  });

  it('keeps certificates and keys themselves, not the files that they were in', () => {
    const { cert, key } = makeCertificate();
    const login: Login = {
      ...bare,
      cluster: { ...cluster, certificateAuthority: cert },
      user: { ...bare.user, certificate: cert, key },
    };
    const copy = reread(portable(login));
    expect(copy.cluster.certificateAuthority.trim()).toBe(cert.trim());
    expect([copy.user.certificate, copy.user.key]).toEqual([cert, key]);
  });

  it('leaves out what is blank', () => {
    expect(JSON.parse(portable(bare))).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: 'https://host.example.com' } }],
      users: [{ name: 'u', user: {} }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'c',
    });
  });
});
