import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { prepareCni } from '../../../../src/cluster/addons/cni.ts';
import type { Manifest } from '../../../../src/cluster/addons/manifest.ts';
import { KnestError } from '../../../../src/errors.ts';
import type { Infrastructure } from '../../../../src/catalog/infrastructures.ts';
import type { CniInput, WebFile } from '../../../../src/inputs.ts';
import { assetPath, type ReleaseAsset } from '../../../../src/catalog/release-asset.ts';
import { Downloader } from '../../../../src/install/download.ts';
import type { ProcessResult, RunProcess } from '../../../../src/runner/process.ts';
import { rejection } from '../../rejection.ts';
import { cidr } from '../samples.ts';
import { downloadRuntime, fromGithub } from '../../../support/downloads.ts';

const FLANNEL = `
apiVersion: v1
kind: ConfigMap
metadata: { name: kube-flannel-cfg, namespace: kube-flannel }
data: { net-conf.json: '{"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan"}}' }
`;
const OWN = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: mine }\n---\n# nothing\n';

interface Given {
  /** The text of every download. */
  readonly text?: string;
  readonly template?: Infrastructure | undefined;
  readonly helm?: () => Promise<ProcessResult>;
}

/** Prepares a CNI. Returns it with the downloads and the runs of helm. */
function preparing(input: CniInput, given: Given = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'cni-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const { text = OWN, helm } = given;
  const downloads: string[] = [];
  const runs: { program: string; args: readonly string[]; env: Readonly<Record<string, string>> }[] = [];
  class Noting extends Downloader {
    override file(asset: ReleaseAsset): Promise<string> {
      downloads.push(assetPath(asset));
      return this.#bring();
    }
    override webFile({ url, sha256 }: WebFile): Promise<string> {
      downloads.push(`${url} ${sha256 ?? 'unverified'}`);
      return this.#bring();
    }
    #bring(): Promise<string> {
      const file = join(directory, 'downloaded');
      writeFileSync(file, text);
      return Promise.resolve(file);
    }
  }
  const run: RunProcess = (program, args, env) => {
    runs.push({ program, args, env });
    return helm?.() ?? Promise.resolve({ exitCode: 0, stdout: OWN, stderr: '' });
  };
  const sources = {
    downloader: new Noting(fromGithub, downloadRuntime(directory)),
    run,
    env: { PATH: '/bin', INPUT_TOKEN: 'secret' },
    template: 'template' in given ? given.template : 'virtink',
    pods: cidr('10.95.0.0/16'),
    kubernetesVersion: '1.36.3',
  };
  return { cni: prepareCni(input, sources), directory, downloads, runs };
}

const names = ({ objects }: Manifest): string[] => objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);

describe('no CNI', () => {
  it('leaves real nodes NotReady, and its description says so', async () => {
    const { cni, downloads } = preparing({ kind: 'none' });
    expect(await cni).toEqual({
      description: 'none: nodes stay NotReady until you install one, and no health check recreates them meanwhile',
      objects: [],
    });
    expect(downloads).toEqual([]);
    const inMemory = await preparing({ kind: 'none' }, { template: 'in-memory' }).cni;
    expect(inMemory.description).toBe('none, and in-memory nodes need none');
    const custom = await preparing({ kind: 'none' }, { template: undefined }).cni;
    expect(custom.description).toBe('none: nodes stay NotReady until you install one');
  });
});

describe('a known CNI', () => {
  it('is its manifest, with the pod network of the cluster', async () => {
    const { cni, downloads } = preparing({ kind: 'known', name: 'flannel' }, { text: FLANNEL });
    const { description, objects } = await cni;
    expect(downloads).toEqual(['flannel-io/flannel/raw/v0.26.7/Documentation/kube-flannel.yml']);
    expect(description).toBe('flannel v0.26.7 (1 objects)');
    expect(JSON.stringify(objects)).toContain('10.95.0.0/16');
  });

  it('is the chart of Cilium rendered by helm, for VXLAN, without the inputs of the action', async () => {
    const { cni, directory, downloads, runs } = preparing({ kind: 'known', name: 'cilium' });
    expect(names(await cni)).toEqual(['Namespace mine']);
    expect(downloads).toEqual([expect.stringMatching(/^cilium\/charts\/raw\/[0-9a-f]{40}\/cilium-1\.18\.12\.tgz$/)]);
    const [{ program, args, env } = { program: '', args: [], env: {} }] = runs;
    expect(program).toBe('helm');
    expect(args.slice(0, 7)).toEqual([
      'template',
      'cilium',
      join(directory, 'downloaded'),
      '--namespace',
      'kube-system',
      '--kube-version',
      '1.36.3',
    ]);
    expect(args.filter((arg) => arg !== '--set').slice(7)).toEqual([
      'routingMode=tunnel',
      'tunnelProtocol=vxlan',
      'ipam.mode=cluster-pool',
      'ipam.operator.clusterPoolIPv4PodCIDRList={10.95.0.0/16}',
      'operator.replicas=1',
      'hubble.enabled=false',
    ]);
    expect(env).toEqual({ PATH: '/bin' });
  });

  it('fails with advice when helm is not installed or fails', async () => {
    const missing = preparing(
      { kind: 'known', name: 'cilium' },
      { helm: () => Promise.reject(new Error('Unable to locate executable file: helm')) },
    );
    expect(await rejection(missing.cni)).toMatchObject({
      code: 'KNEST_CNI',
      problem: 'cannot run helm, which renders the Cilium chart',
      evidence: ['Unable to locate executable file: helm'],
      next: 'install helm 3 in an earlier step, or set cni to a manifest that you rendered yourself',
    });
    const reason = new KnestError({ code: 'KNEST_CANCELLED', problem: 'the job was cancelled', next: '' });
    const cancelled = preparing({ kind: 'known', name: 'cilium' }, { helm: () => Promise.reject(reason) });
    expect(await rejection(cancelled.cni)).toBe(reason);
    const failed = preparing(
      { kind: 'known', name: 'cilium' },
      { helm: () => Promise.resolve({ exitCode: 1, stdout: '', stderr: 'Error: chart requires kubeVersion\n' }) },
    );
    expect(await rejection(failed.cni)).toMatchObject({
      code: 'KNEST_CNI',
      evidence: ['Error: chart requires kubeVersion'],
    });
  });
});

describe('a manifest', () => {
  /** The path of a file with this text. */
  function file(text: string): string {
    const directory = mkdtempSync(join(tmpdir(), 'manifest-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    writeFileSync(join(directory, 'cni.yaml'), text);
    return join(directory, 'cni.yaml');
  }

  it('is read from a file, unchanged', async () => {
    const path = file(OWN);
    const made = await preparing({ kind: 'file', path }).cni;
    expect(made.description).toBe(`${path} (1 objects)`);
    expect(made.objects).toEqual([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'mine' } }]);
  });

  it('is downloaded and verified with the given checksum', async () => {
    const { cni, downloads } = preparing({ kind: 'url', url: 'https://example.com/cni.yaml', sha256: 'abc' });
    expect(names(await cni)).toEqual(['Namespace mine']);
    expect(downloads).toEqual(['https://example.com/cni.yaml abc']);
  });

  it.each([
    ['empty', '# nothing\n', 'it has no objects'],
    ['not YAML', 'a: [', 'Flow sequence'],
    ['not a Kubernetes manifest', `${OWN}---\nfoo: bar\n`, 'document 2 has no apiVersion'],
    ['plain text', 'hello\n', 'document 1 is a string, not an object'],
  ])('that is %s is one input error', async (_what, text, reason) => {
    const path = file(text);
    const { evidence, ...failure } = (await rejection(preparing({ kind: 'file', path }).cni)) as {
      evidence: string[];
    };
    expect(failure).toMatchObject({ code: 'KNEST_INPUT', problem: '1 input cannot be used; nothing was created' });
    expect(evidence).toHaveLength(1);
    expect(evidence[0]).toContain(`cni: ${path} is not a usable manifest: `);
    expect(evidence[0]).toContain(reason);
  });

  it('that does not exist is one input error', async () => {
    expect(await rejection(preparing({ kind: 'file', path: '/nowhere/cni.yaml' }).cni)).toMatchObject({
      code: 'KNEST_INPUT',
      evidence: [expect.stringMatching(/^cni: \/nowhere\/cni\.yaml is not a usable manifest: ENOENT/)],
    });
  });
});
