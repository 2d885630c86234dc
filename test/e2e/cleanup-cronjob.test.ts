import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readAction } from '../../scripts/docs.ts';
import { readInputs } from '../../src/inputs.ts';
import { sharedHost } from './support.ts';

const host = sharedHost();
const root = resolve(import.meta.dirname, '../..');
const namespace = 'cleanup-cronjob';
const repositoryId = '1296269';

interface Container {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
}

interface CronJob {
  readonly spec: {
    readonly jobTemplate: {
      readonly spec: {
        readonly template: {
          readonly spec: { readonly initContainers: readonly Container[]; readonly containers: readonly Container[] };
        };
      };
    };
  };
}

const manifest = readFileSync(join(root, 'docs/cleanup-cronjob.yaml'), 'utf8').replace(
  /\bnamespace: knest$/gm,
  `namespace: ${namespace}`,
);

/** A container of the CronJob: its command, and its environment with what a user fills in. */
function containerOf(name: string, filledIn: Readonly<Record<string, string>>) {
  const documents = parseAllDocuments(manifest).map((document) => document.toJS() as unknown);
  const cronJob = documents.find((object) => (object as { kind: string }).kind === 'CronJob') as CronJob;
  const { initContainers, containers } = cronJob.spec.jobTemplate.spec.template.spec;
  const container = [...initContainers, ...containers].find((candidate) => candidate.name === name);
  const environment = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
  return { command: container?.command ?? [], environment: { ...environment, ...filledIn } };
}

/** Arguments of env(1): only these variables. A shell would drop names with a hyphen. */
function only(environment: Readonly<Record<string, string>>): readonly string[] {
  return ['env', '-i', ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)];
}

describe('the CronJob for cleanup', () => {
  const directory = mkdtempSync(join(tmpdir(), 'knest-cronjob-'));
  const bundle = join(directory, 'index.mjs');
  afterAll(async () => {
    rmSync(directory, { recursive: true });
    await host.kubectl(['delete', 'namespace', namespace, '--ignore-not-found']);
  });

  it('sets every input of cleanup that has a default, and no other', () => {
    const { environment } = containerOf('cleanup', {});
    const inputs = Object.keys(environment).flatMap((name) => /^INPUT_(.*)/.exec(name)?.[1]?.toLowerCase() ?? []);
    const { inputs: known } = readAction();
    const used = new Set<string>();
    readInputs((name) => {
      used.add(name);
      return name === 'command' ? 'cleanup' : (known[name]?.default ?? '');
    });
    expect(inputs.filter((name) => !used.has(name))).toEqual([]);
    // The pod has its own account for the host, and no runner that evaluates expressions.
    const isPreset = (name: string): boolean => !/^$|^not-given$|^\$\{\{/.test(known[name]?.default ?? '');
    expect(inputs).toEqual(expect.arrayContaining([...used].filter(isPreset)));
    expect(inputs.filter((name) => !isPreset(name))).toEqual(['pull-request-state']);
  });

  it('downloads the bundle with the given checksum, and no other', async () => {
    const released = join(root, 'dist/index.js');
    const sum = createHash('sha256').update(readFileSync(released)).digest('hex');
    // A data URL stands for the release: fetch takes both.
    const script = `data:text/javascript;base64,${readFileSync(released).toString('base64')}`;
    const urlFile = join(directory, 'url.mjs');
    writeFileSync(urlFile, `process.env.BUNDLE_URL = ${JSON.stringify(script)};`);
    const fetchIt = async (sha256: string): Promise<string> => {
      const { command, environment } = containerOf('bundle', { BUNDLE_SHA256: sha256, BUNDLE_FILE: bundle });
      const [, ...args] = command;
      const node = [process.execPath, '--import', pathToFileURL(urlFile).href, ...args];
      return host.run([...only(environment), ...node]);
    };
    await expect(fetchIt('0'.repeat(64))).rejects.toThrow(`its sha256 is ${sum}, not ${'0'.repeat(64)}`);
    await fetchIt(sum);
    expect(readFileSync(bundle)).toEqual(readFileSync(released));
  });

  it('is accepted by the API server, and deletes expired clusters with its own service account', async () => {
    await host.kubectl(['create', 'namespace', namespace]);
    await host.kubectl(['apply', '-f', '-'], manifest);
    // Keeps the CronJob from running during the test: the host has no image for it.
    await host.kubectl(['patch', 'cronjob', 'knest-cleanup', '-n', namespace, '-p', '{"spec":{"suspend":true}}']);
    const cluster = (name: string, repository: string): object => ({
      apiVersion: 'cluster.x-k8s.io/v1beta2',
      kind: 'Cluster',
      metadata: {
        name,
        namespace,
        labels: {
          'knest-action/managed': 'true',
          'knest-action/server': 'github.com',
          'knest-action/repository-id': repository,
        },
        annotations: { 'knest-action/expires-at': '2020-01-01T00:00:00Z' },
      },
      spec: {
        infrastructureRef: { apiGroup: 'infrastructure.cluster.x-k8s.io', kind: 'DevCluster', name },
      },
    });
    const items = [cluster('ours', repositoryId), cluster('theirs', '1')];
    await host.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));

    // The files that the kubelet puts into the pod, in the same place.
    const token = await host.kubectl(['create', 'token', 'knest-cleanup', '-n', namespace]);
    const { clusters } = parse(readFileSync(host.kubeconfig, 'utf8')) as {
      clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
    };
    const { server = '', 'certificate-authority-data': ca = '' } = clusters[0]?.cluster ?? {};
    writeFileSync(join(directory, 'token'), token);
    writeFileSync(join(directory, 'ca.crt'), Buffer.from(ca, 'base64'));
    writeFileSync(join(directory, 'namespace'), namespace);
    const { command, environment } = containerOf('cleanup', {
      INPUT_NAMESPACE: namespace,
      GITHUB_REPOSITORY: 'octo-org/octo-repo',
      GITHUB_REPOSITORY_ID: repositoryId,
      RUNNER_TEMP: directory,
      KUBERNETES_SERVICE_HOST: new URL(server).hostname,
      KUBERNETES_SERVICE_PORT: new URL(server).port,
    });
    expect(command).toEqual(['node', '/bundle/index.mjs']);
    const account = '/run/secrets/kubernetes.io/serviceaccount';
    const inPod = `mount -t tmpfs none /run && mkdir -p ${account} && cp ${directory}/token ${directory}/ca.crt ${directory}/namespace ${account} && exec "$@"`;
    const shell = ['unshare', '--mount', 'sh', '-c', inPod, 'sh'];
    const log = await host.run([...shell, ...only(environment), process.execPath, join(root, 'dist/index.js')]);
    expect(log).toContain(`as system:serviceaccount:${namespace}:knest-cleanup (the pod's service account)`);
    expect(log).toContain('▸ 1 of 2 clusters were deleted');
    // A pod's log masks nothing.
    expect(log).not.toContain(token.trim());
    const left = await host.kubectl(['get', 'clusters', '-n', namespace, '-o', 'jsonpath={.items[*].metadata.name}']);
    expect(left).toBe('theirs');
  });
});
