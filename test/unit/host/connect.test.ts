import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { KnestError } from '../../../src/errors.ts';
import { connect, nestedClusterOf, type GivenCredentials } from '../../../src/host/connect.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { quietRuntime } from './server.ts';

const SECRET = 'AKIA-very-secret';
/** The runtime for connecting to a host, in this environment. */
const inEnv = (env: NodeJS.ProcessEnv) => quietRuntime({ env });
const nothing: GivenCredentials = { kubeconfig: undefined, kubeconfigFile: undefined, context: undefined };

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'knest-connect-'));
});
afterEach(() => rmSync(home, { recursive: true }));

/** A kubeconfig with two contexts, whose servers have this name in them. */
function kubeconfig(name: string, cluster: object = {}, user: object = { token: SECRET }): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'first',
    clusters: ['first', 'second'].map((context) => ({
      name: context,
      cluster: { server: `https://${name}-${context}.example.com`, ...cluster },
    })),
    users: [{ name: 'ci', user }],
    contexts: ['first', 'second'].map((context) => ({ name: context, context: { cluster: context, user: 'ci' } })),
  });
}

function file(path: string, text: string): string {
  const whole = join(home, path);
  mkdirSync(join(whole, '..'), { recursive: true });
  writeFileSync(whole, text);
  return whole;
}

function failure(credentials: GivenCredentials, env: NodeJS.ProcessEnv = {}): KnestError {
  try {
    connect(credentials, inEnv({ HOME: home, ...env }));
  } catch (thrown) {
    if (thrown instanceof KnestError) return thrown;
    throw thrown;
  }
  throw new Error('it did not fail');
}

describe('the source of the credentials', () => {
  it('is the text, or else the file, KUBECONFIG, or ~/.kube/config', () => {
    file('.kube/config', kubeconfig('home'));
    const env: NodeJS.ProcessEnv = { HOME: home };
    const server = (credentials: GivenCredentials): string => connect(credentials, inEnv(env)).server;

    expect(server(nothing)).toBe('https://home-first.example.com');
    env['KUBECONFIG'] = file('listed', kubeconfig('listed'));
    expect(server(nothing)).toBe('https://listed-first.example.com');
    const named = { ...nothing, kubeconfigFile: file('named', kubeconfig('named')) };
    expect(server(named)).toBe('https://named-first.example.com');
    expect(server({ ...named, kubeconfig: kubeconfig('text') })).toBe('https://text-first.example.com');
  });

  it('is reported', () => {
    const path = file('named', kubeconfig('named'));
    expect(connect({ ...nothing, kubeconfigFile: path }, inEnv({}))).toMatchObject({ source: path, user: 'ci' });
    expect(connect({ ...nothing, kubeconfig: kubeconfig('text') }, inEnv({})).source).toBe('host-kubeconfig');
  });

  it('is the first file of KUBECONFIG that exists', () => {
    const list = [join(home, 'missing'), '', file('there', kubeconfig('there'))].join(':');
    expect(connect(nothing, inEnv({ HOME: home, KUBECONFIG: list })).server).toBe('https://there-first.example.com');
  });

  it('is never ~/.kube/config when KUBECONFIG names another file', () => {
    file('.kube/config', kubeconfig('home'));
    expect(failure(nothing, { KUBECONFIG: join(home, 'missing') }).code).toBe('KNEST_HOST_CONFIG');
  });

  it('is missing: the error lists all of them', () => {
    const error = failure(nothing);
    expect(error).toMatchObject({ code: 'KNEST_HOST_CONFIG', problem: 'there is no kubeconfig for the host cluster' });
    expect(error.message).toContain('host-kubeconfig-file, KUBECONFIG, ~/.kube/config');
  });

  it('must exist when an input names it', () => {
    expect(failure({ ...nothing, kubeconfigFile: 'no/such/file' })).toMatchObject({
      code: 'KNEST_HOST_CONFIG',
      problem: 'host-kubeconfig-file: there is no file no/such/file',
    });
  });
});

describe('a path that begins with ~', () => {
  it('means the home directory in an input', () => {
    file('.kube/named', kubeconfig('named'));
    const named = { ...nothing, kubeconfigFile: '~/.kube/named' };
    expect(connect(named, inEnv({ HOME: home })).server).toBe('https://named-first.example.com');
  });

  it('does not mean it in KUBECONFIG, as for kubectl, and the error explains that', () => {
    file('.kube/named', kubeconfig('named'));
    expect(failure(nothing, { KUBECONFIG: '~/.kube/named' }).message).toContain(
      'KUBECONFIG: there is no file ~/.kube/named (a shell expands ~, kubectl does not)',
    );
  });

  it('does not mean it in a kubeconfig, as for kubectl, and the error explains that', () => {
    const text = kubeconfig('text').replaceAll('"server":', '"certificate-authority":"~/ca.crt","server":');
    expect(text).toContain('~/ca.crt');
    const problem =
      'certificate-authority names a file that cannot be read (ENOENT); ~ is not expanded in a kubeconfig';
    expect(failure({ ...nothing, kubeconfigFile: file('named', text) }).message).toContain(problem);
    expect(failure({ ...nothing, kubeconfig: text }).message).toContain(problem);
  });
});

describe('the context', () => {
  it('is the named one', () => {
    const credentials = { ...nothing, kubeconfig: kubeconfig('text'), context: 'second' };
    expect(connect(credentials, inEnv({})).server).toBe('https://text-second.example.com');
  });

  it('must exist, or else the error lists the others', () => {
    expect(failure({ ...nothing, kubeconfig: kubeconfig('text'), context: 'third' })).toMatchObject({
      problem: 'host-context: host-kubeconfig has no context "third"',
      next: 'it has first, second',
    });
  });

  it('must exist when it is the current one', () => {
    const text = kubeconfig('text').replace('"current-context":"first"', '"current-context":"gone"');
    expect(failure({ ...nothing, kubeconfig: text })).toMatchObject({
      code: 'KNEST_HOST_CONFIG',
      problem: 'host-kubeconfig has no context "gone", its current-context',
      next: 'set host-context, or current-context in the kubeconfig; it has first, second',
    });
  });
});

describe('text that is not a kubeconfig', () => {
  it.each([
    ['a password', SECRET],
    ['broken YAML', `users:\n- {token: "${SECRET}`],
    ['a key', `-----BEGIN KEY-----\n${SECRET}: [\n-----END KEY-----`],
    ['other YAML', `- ${SECRET}`],
    ['a cluster without its fields', `clusters: [{name: ${SECRET}}]`],
  ])('is refused without quoting it: %s', (_what, text) => {
    const error = failure({ ...nothing, kubeconfig: text });
    expect(error.code).toBe('KNEST_HOST_CONFIG');
    expect(error.problem).toContain('host-kubeconfig');
    expect(`${error.message}\n${error.stack ?? ''}\n${String(error.cause)}`).not.toContain(SECRET);
  });
});

describe('the copy of the credentials', () => {
  it('has one context, and works without the original files', () => {
    const { cert, key } = makeCertificate();
    file('ca.crt', cert);
    file('tls.crt', cert);
    file('tls.key', key);
    const cluster = {
      'certificate-authority': 'ca.crt',
      'tls-server-name': 'api.example.com',
      'proxy-url': 'http://proxy:1',
    };
    const user = { 'client-certificate': 'tls.crt', 'client-key': join(home, 'tls.key') };
    const path = file('config', kubeconfig('files', cluster, user));
    const copy = parse(
      connect({ ...nothing, kubeconfigFile: path, context: 'second' }, inEnv({})).credentials.kubeconfig,
    ) as object;
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    expect(copy).toMatchObject({
      'current-context': 'second',
      clusters: [
        {
          name: 'second',
          cluster: {
            server: 'https://files-second.example.com',
            'certificate-authority-data': base64(cert),
            'tls-server-name': 'api.example.com',
            'proxy-url': 'http://proxy:1',
          },
        },
      ],
      users: [
        {
          name: 'ci',
          user: { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) },
        },
      ],
      contexts: [{ name: 'second', context: { cluster: 'second', user: 'ci' } }],
    });
    expect(JSON.stringify(copy)).not.toContain(home);
    expect(JSON.stringify(copy)).not.toContain('"client-key":');
  });

  it('can be used to connect again', () => {
    const first = connect({ ...nothing, kubeconfig: kubeconfig('text'), context: 'second' }, inEnv({}));
    const again = connect({ ...nothing, kubeconfig: first.credentials.kubeconfig }, inEnv({}));
    expect(again).toMatchObject({ server: first.server, user: first.user, credentials: first.credentials });
  });
});

describe('the proxy of the environment', () => {
  const proxyOf = (cluster: object, env: NodeJS.ProcessEnv): unknown => {
    const { kubeconfig: copy } = connect(
      { ...nothing, kubeconfig: kubeconfig('text', cluster) },
      inEnv(env),
    ).credentials;
    return (parse(copy) as { clusters: [{ cluster: Record<string, unknown> }] }).clusters[0].cluster['proxy-url'];
  };

  it.each<[string, object, NodeJS.ProcessEnv, unknown]>([
    ['is used', {}, { https_proxy: 'http://proxy:3128', no_proxy: '' }, 'http://proxy:3128'],
    [
      'is not used for addresses in NO_PROXY',
      {},
      { https_proxy: 'http://proxy:3128', no_proxy: '.example.com' },
      undefined,
    ],
    [
      'does not override proxy-url in the kubeconfig',
      { 'proxy-url': 'http://own:1' },
      { https_proxy: 'http://proxy:3128', no_proxy: '' },
      'http://own:1',
    ],
  ])('%s', (_what, cluster, env, proxy) => expect(proxyOf(cluster, env)).toBe(proxy));
});

describe('a kubeconfig of a nested cluster from the action', () => {
  const mark = {
    extensions: [{ name: 'knest-action/nested-cluster', extension: { name: 'demo', namespace: 'knest' } }],
  };
  const demo = { name: 'demo', namespace: 'knest' };

  it('is recognised by its extension, under any file name', () => {
    file('.kube/config', kubeconfig('nested', mark));
    expect(nestedClusterOf({ HOME: home }, undefined)).toEqual(demo);
    const KUBECONFIG = [file('nested', kubeconfig('nested', mark)), file('host', kubeconfig('host'))].join(':');
    expect(nestedClusterOf({ HOME: home, KUBECONFIG }, undefined)).toEqual(demo);
    expect(nestedClusterOf({ HOME: home, KUBECONFIG }, 'not-there')).toEqual(demo);
  });

  it('is ignored when its cluster is not in use, or its context is not the requested one', () => {
    const KUBECONFIG = [file('host', kubeconfig('host')), file('nested', kubeconfig('nested', mark))].join(':');
    expect(nestedClusterOf({ HOME: home, KUBECONFIG }, undefined)).toBeUndefined();
    expect(
      nestedClusterOf({ HOME: home, KUBECONFIG: file('nested', kubeconfig('nested', mark)) }, 'second'),
    ).toBeUndefined();
    expect(nestedClusterOf({ HOME: home }, undefined)).toBeUndefined();
  });

  it('counts as any other kubeconfig when its extension is not valid', () => {
    const bad = (extension: unknown): string =>
      kubeconfig('odd', { extensions: [{ name: 'knest-action/nested-cluster', extension }] });
    for (const extension of [null, 'demo', {}, { name: '../../etc', namespace: 'knest' }, { name: 'demo' }]) {
      const KUBECONFIG = file('odd', bad(extension));
      expect(nestedClusterOf({ HOME: home, KUBECONFIG }, undefined)).toBeUndefined();
    }
  });
});
