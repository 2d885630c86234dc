import { chmodSync, linkSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parseDocument } from 'yaml';
import {
  kubeconfigText,
  readKubeconfig,
  secretsOf,
  writePrivateFile,
} from '../../../../src/cluster/access/kubeconfig.ts';
import { parseNested, type Kubeconfig } from '../../../../src/cluster/access/nested-kubeconfig.ts';
import { KnestError } from '../../../../src/errors.ts';
import { parseKubeconfig } from '../../../../src/host/kubeconfig/kubeconfig.ts';
import { makeCertificate } from '../../../support/certificate.ts';
import { hostWith } from '../../host/fake-host.ts';
import { clientOf, json, refuse } from '../../host/server.ts';
import { rejection } from '../../rejection.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const cluster = { name: 'pr', namespace: 'knest' };

let kubeconfig: Kubeconfig;
beforeAll(() => {
  const { cert, key } = makeCertificate();
  kubeconfig = {
    server: 'https://10.1.2.3:6443',
    tlsServerName: undefined,
    certificateAuthority: cert,
    clientCertificate: cert,
    clientKey: key,
    token: 'abc.def-ghi',
    proxyUrl: undefined,
  };
});

/** The text as Cluster API writes it, without the extension that the action adds. */
function written(change: Partial<Kubeconfig> = {}): string {
  const document = parseDocument(kubeconfigText({ ...kubeconfig, ...change }, cluster));
  document.deleteIn(['clusters', 0, 'cluster', 'extensions']);
  return document.toString({ lineWidth: 0 });
}

describe('secretsOf', () => {
  it('finds every secret in the YAML, and nothing else', () => {
    const masked = secretsOf(kubeconfig).reduce(
      (text, secret) => text.replaceAll(secret, 'hidden'),
      kubeconfigText(kubeconfig, cluster),
    );
    const plain = kubeconfigText({ ...kubeconfig, clientKey: undefined, token: 'hidden' }, cluster);
    expect(masked.split('\n').filter((line) => !line.includes('client-key-data: hidden'))).toEqual(plain.split('\n'));
  });

  it('is empty without secrets', () => {
    expect(secretsOf({ ...kubeconfig, clientKey: undefined, token: undefined })).toEqual([]);
  });
});

describe('kubeconfigText', () => {
  it('can be read back', () => {
    expect(parseNested(written({ tlsServerName: '10.1.2.3' }))).toEqual({
      kubeconfig: { ...kubeconfig, tlsServerName: '10.1.2.3' },
      problems: [],
    });
  });

  it('records the nested cluster that it is for', () => {
    const merged = parseKubeconfig(kubeconfigText(kubeconfig, cluster), 'text');
    expect(merged.clusters.get('pr')?.nested).toEqual(cluster);
  });

  it('means the same to the official client library, which ignores the extension', () => {
    const config = new KubeConfig();
    config.loadFromString(kubeconfigText(kubeconfig, cluster));
    expect(config.getCurrentCluster()).toMatchObject({ server: kubeconfig.server, skipTLSVerify: false });
    expect(config.getCurrentUser()).toMatchObject({
      certData: base64(kubeconfig.clientCertificate ?? ''),
      keyData: base64(kubeconfig.clientKey ?? ''),
      token: kubeconfig.token,
    });
  });

  it('keeps each value on one line, since a broken value could not be masked', () => {
    const lines = kubeconfigText(kubeconfig, cluster).split('\n');
    expect(lines.filter((line) => line.includes(base64(kubeconfig.clientKey ?? '')))).toHaveLength(1);
  });
});

describe('readKubeconfig', () => {
  async function read(value: string, endpoint: object = { host: '10.1.2.3', port: 6443 }): Promise<Kubeconfig> {
    const { client } = await hostWith({
      '/api/v1/namespaces/knest/secrets/pr-kubeconfig': { metadata: cluster, data: { value: base64(value) } },
      '/apis/cluster.x-k8s.io/v1beta2/namespaces/knest/clusters/pr': {
        metadata: cluster,
        spec: { controlPlaneEndpoint: endpoint },
      },
    });
    return readKubeconfig(client, cluster, AbortSignal.timeout(10_000));
  }

  it('reads the kubeconfig in the Secret', async () => {
    expect(await read(written())).toEqual(kubeconfig);
  });

  it('refuses a server other than the endpoint of the Cluster', async () => {
    const error = await rejection(read(written({ server: 'https://198.51.100.7:6443' })));
    expect(error).toBeInstanceOf(KnestError);
    expect(error).toMatchObject({
      code: 'KNEST_API_ACCESS',
      problem:
        "cannot use the kubeconfig in Secret knest/pr-kubeconfig: its server is not the Cluster's controlPlaneEndpoint, https://10.1.2.3:6443",
    });
  });

  it('says once which Secret it waits for, and reads it when it comes', async () => {
    let gets = 0;
    const metadata = { name: 'pr-kubeconfig', namespace: 'knest' };
    const { client } = await clientOf((response, _number, { path }) => {
      if (path.endsWith('/clusters/pr'))
        json(response, { metadata: cluster, spec: { controlPlaneEndpoint: { host: '10.1.2.3', port: 6443 } } });
      else if (gets++ < 3) refuse(response, 404);
      else json(response, { metadata, data: { value: base64(written()) } });
    });
    const lines: string[] = [];
    const read = readKubeconfig(client, cluster, AbortSignal.timeout(20_000), (line) => lines.push(line));
    expect(await read).toEqual(kubeconfig);
    expect(lines).toEqual([expect.stringMatching(/^Secret knest\/pr-kubeconfig does not exist yet: /)]);
  });

  it('names the missing Secret when the time is up', async () => {
    const { client } = await hostWith({});
    const time = new AbortController();
    const timeout = new KnestError({ code: 'KNEST_TIMEOUT', problem: 'timed out after 1m' });
    const failure = await rejection(readKubeconfig(client, cluster, time.signal, () => time.abort(timeout)));
    expect(failure).toMatchObject({
      code: 'KNEST_TIMEOUT',
      evidence: [expect.stringContaining('Secret knest/pr-kubeconfig does not exist yet') as string],
    });
  });

  it('refuses a kubeconfig while the Cluster has no endpoint', async () => {
    const error = await rejection(read(written(), { host: '', port: 0 }));
    expect(error).toMatchObject({ problem: expect.stringContaining('has no controlPlaneEndpoint') as string });
  });
});

describe('writePrivateFile', () => {
  function directory(): string {
    const made = mkdtempSync(join(tmpdir(), 'private-'));
    onTestFinished(() => rmSync(made, { recursive: true, force: true }));
    return made;
  }
  const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

  it('creates a file that only its owner can read, in such a directory', async () => {
    const path = join(directory(), 'a', 'b', 'kubeconfig');
    await writePrivateFile(path, 'secret');
    expect(readFileSync(path, 'utf8')).toBe('secret');
    expect(modeOf(path)).toBe('600');
    expect(modeOf(join(path, '..'))).toBe('700');
  });

  it('replaces a file that others can read, instead of writing to it', async () => {
    const path = join(directory(), 'kubeconfig');
    writeFileSync(path, 'readable');
    chmodSync(path, 0o644);
    // A process that has the old file open still reads the old file.
    linkSync(path, `${path}.open`);
    await writePrivateFile(path, 'secret');
    expect(readFileSync(path, 'utf8')).toBe('secret');
    expect(modeOf(path)).toBe('600');
    expect(readFileSync(`${path}.open`, 'utf8')).toBe('readable');
  });

  it('does not follow a link', async () => {
    const root = directory();
    const [target, path] = [join(root, 'target'), join(root, 'kubeconfig')];
    writeFileSync(target, 'untouched', { mode: 0o644 });
    chmodSync(target, 0o644);
    symlinkSync(target, path);
    await writePrivateFile(path, 'secret');
    expect(readFileSync(target, 'utf8')).toBe('untouched');
    expect(modeOf(target)).toBe('644');
    expect(readFileSync(path, 'utf8')).toBe('secret');
    expect(modeOf(path)).toBe('600');
  });
});
