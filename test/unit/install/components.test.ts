import { describe, expect, it } from 'vitest';
import { virtinkTemplates } from '../../../src/catalog/components/known-components.ts';
import checksums from '../../../src/install/download/checksums.json' with { type: 'json' };
import { assetKey, assetPath, releaseAssetAt } from '../../../src/catalog/release-asset.ts';
import { assetsOf, atVersion, type Component } from '../../../src/catalog/components/component.ts';
import { allAssets, catalogAssets, isNeededBy } from '../../../src/catalog/components/catalog-assets.ts';
import {
  clusterctlAsset,
  knownComponents,
  requiredComponents,
} from '../../../src/catalog/components/required-components.ts';
import { ADDON_RELEASES } from '../../../src/catalog/addon-releases.ts';
import { CNI_RELEASES } from '../../../src/catalog/cni-releases.ts';
import { versions } from './versions.ts';

const titled = (components: readonly Component[]): readonly string[] =>
  components.map(({ title, version }) => `${title} ${version}`);
const common = [
  'cert-manager v1.18.0',
  'Cluster API v1.14.2',
  'kubeadm bootstrap provider v1.14.2',
  'kubeadm control plane provider v1.14.2',
];

describe('requiredComponents', () => {
  it('are the components of the infrastructure, cert-manager first, each in its version', () => {
    expect(titled(requiredComponents(versions, 'virtink'))).toEqual([
      ...common,
      'Virtink provider v0.7.0',
      'Virtink v0.15.0',
    ]);
    expect(titled(requiredComponents(versions, 'in-memory'))).toEqual([
      ...common,
      'in-memory infrastructure provider v1.14.2',
    ]);
  });

  it('include IPAM and CDI only for a persistent cluster', () => {
    const ephemeral = titled(requiredComponents(versions, 'virtink'));
    expect(titled(requiredComponents(versions, 'virtink', true))).toEqual([...ephemeral, 'IPAM v1.2.1', 'CDI v1.55.2']);
  });

  it('each have a distinct CRD, manifest and workloads', () => {
    const components = knownComponents(versions);
    const distinct = (texts: readonly string[]): number => new Set(texts).size;
    expect(distinct(components.map(({ crd = '' }) => crd))).toBe(components.length);
    expect(distinct(components.map(({ manifest }) => assetKey(manifest)))).toBe(components.length);
    const workloads = components.flatMap((component) => component.workloads);
    expect(distinct(workloads.map(({ namespace, name }) => `${namespace}/${name}`))).toBe(workloads.length);
    expect(components.filter((component) => component.workloads.length === 0)).toEqual([]);
  });
});

describe('knownComponents', () => {
  it('are the components of all infrastructures, each once', () => {
    expect(titled(knownComponents(versions))).toEqual([
      ...common,
      'Virtink provider v0.7.0',
      'Virtink v0.15.0',
      'IPAM v1.2.1',
      'CDI v1.55.2',
      'KubeVirt provider v0.11.2',
      'KubeVirt v1.8.4',
      'in-memory infrastructure provider v1.14.2',
    ]);
  });

  it('include another provider only in the requested version', () => {
    const titles = titled(knownComponents(versions, { name: 'docker', version: 'v1.13.0' }));
    expect(titles.filter((title) => /docker|in-memory/.test(title))).toEqual(['docker provider v1.13.0']);
  });
});

it('uses the same asset of every release for Virtink', () => {
  const virtink = requiredComponents({ ...versions, virtink: 'v0.17.0' }, 'virtink').slice(-1);
  expect(virtink.flatMap(assetsOf).map(assetKey)).toEqual(['smartxworks/virtink/v0.17.0/virtink.yaml']);
});

describe('a provider that clusterctl knows', () => {
  it.each([
    ['kubevirt', 'kubernetes-sigs/cluster-api-provider-kubevirt/v1.2.3/infrastructure-components.yaml'],
    ['metal3', 'metal3-io/cluster-api-provider-metal3/v1.2.3/infrastructure-components.yaml'],
    ['docker', 'kubernetes-sigs/cluster-api/v1.2.3/infrastructure-components-development.yaml'],
  ])('has release assets: %s', (name, asset) => {
    const components = requiredComponents(versions, { name, version: 'v1.2.3' });
    expect(titled(components)).toEqual([...common, `${name} provider v1.2.3`]);
    expect(components.slice(-1).flatMap(assetsOf).map(assetKey)).toEqual([
      asset,
      asset.replace(/[^/]+$/, 'metadata.yaml'),
    ]);
  });

  it('must have a known name', () => {
    expect(() => requiredComponents(versions, { name: 'qemu', version: 'v1.0.0' })).toThrow(RangeError);
  });
});

describe('clusterctlAsset', () => {
  it.each([
    ['linux', 'x64', 'clusterctl-linux-amd64'],
    ['linux', 'arm64', 'clusterctl-linux-arm64'],
    ['darwin', 'x64', 'clusterctl-darwin-amd64'],
    ['darwin', 'arm64', 'clusterctl-darwin-arm64'],
  ] as const)('for %s on %s is %s', (platform, arch, name) => {
    expect(clusterctlAsset('v1.14.2', platform, arch)).toEqual({
      repository: 'kubernetes-sigs/cluster-api',
      tag: 'v1.14.2',
      name,
    });
  });
});

describe('allAssets', () => {
  const keys = allAssets(versions).map(assetKey);

  it('are listed once each', () => {
    expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
  });

  it('cover everything that installing needs: clusterctl for each runner, known CNIs, add-ons and templates', () => {
    const needed = knownComponents(versions).flatMap(assetsOf).map(assetKey);
    const programs = keys.filter((key) => key.includes('/clusterctl-'));
    expect(programs).toHaveLength(4);
    const cnis = Object.values(CNI_RELEASES).map(({ asset }) => assetKey(asset));
    const addons = Object.values(ADDON_RELEASES).map(({ asset }) => assetKey(asset));
    const templates = virtinkTemplates('v0.7.0').map(assetKey);
    expect([...keys].sort()).toEqual([...new Set([...needed, ...programs, ...cnis, ...addons, ...templates])].sort());
    expect(keys).toContain('smartxworks/cluster-api-provider-virtink/v0.7.0/cluster-template-cdi-internal.yaml');
    expect(keys).toContain('smartxworks/cluster-api-provider-virtink/v0.7.0/metadata.yaml');
    expect(keys).toContain('kubernetes-sigs/cluster-api/v1.14.2/core-components.yaml');
    expect(keys).toContain('cert-manager/cert-manager/v1.18.0/cert-manager.yaml');
    expect(keys).toContain('smartxworks/virtink/v0.15.0/virtink.yaml');
    expect(keys).toContain('metal3-io/ip-address-manager/v1.2.1/ipam-components.yaml');
    expect(keys).toContain('kubevirt/containerized-data-importer/v1.55.2/cdi-operator.yaml');
    expect(keys).toContain('kubevirt/containerized-data-importer/v1.55.2/cdi-cr.yaml');
  });
});

describe('catalogAssets', () => {
  const needs = new Map(catalogAssets(versions).map((one) => [assetKey(one.asset), one]));

  it.each([
    [
      'kubernetes-sigs/cluster-api/v1.14.2/metadata.yaml',
      'Cluster API v1.14.2',
      ['virtink', 'kubevirt', 'in-memory'],
      false,
    ],
    ['kubevirt/kubevirt/v1.8.4/kubevirt-cr.yaml', 'KubeVirt v1.8.4', ['kubevirt'], false],
    ['smartxworks/virtink/v0.15.0/virtink.yaml', 'Virtink v0.15.0', ['virtink'], false],
    ['kubevirt/containerized-data-importer/v1.55.2/cdi-cr.yaml', 'CDI v1.55.2', ['virtink'], true],
    [
      'kubernetes-sigs/cluster-api/v1.14.2/infrastructure-components-development.yaml',
      'in-memory infrastructure provider v1.14.2',
      ['in-memory'],
      false,
    ],
  ])('know what %s is needed for', (key, title, infrastructures, persistent) => {
    expect(needs.get(key)).toMatchObject({ title, need: { kind: 'component', infrastructures, persistent } });
  });

  it('know the runner of each clusterctl, and the CNI of each manifest', () => {
    expect(needs.get('kubernetes-sigs/cluster-api/v1.14.2/clusterctl-darwin-amd64')?.need).toEqual({
      kind: 'runner',
      platform: 'darwin',
      arch: 'x64',
    });
    expect(needs.get('flannel-io/flannel/v0.26.7/Documentation/kube-flannel.yml')?.need).toEqual({
      kind: 'cni',
      cni: 'flannel',
    });
  });

  it('leave out those of Virtink for in-memory machines, and nothing else of what those need', () => {
    const left = [...needs.values()].filter((one) => isNeededBy(one, 'in-memory')).map(({ asset }) => assetKey(asset));
    expect(left.filter((key) => key.includes('virtink'))).toEqual([]);
    const needed = requiredComponents(versions, 'in-memory').flatMap(assetsOf).map(assetKey);
    expect(left).toEqual(expect.arrayContaining([...new Set(needed)]));
  });
});

describe('releaseAssetAt', () => {
  it('recognises the URL of a release asset on GitHub', () => {
    expect(releaseAssetAt('https://github.com/acme/tool/releases/download/v1.2.3/tool.yaml')).toEqual({
      repository: 'acme/tool',
      tag: 'v1.2.3',
      name: 'tool.yaml',
    });
  });

  it.each([
    'https://github.com/acme/tool/raw/v1.2.3/tool.yaml',
    'https://github.com/acme/tool/releases/latest/download/tool.yaml',
    'http://github.com/acme/tool/releases/download/v1.2.3/tool.yaml',
    'https://github.com.example.com/acme/tool/releases/download/v1.2.3/tool.yaml',
    'https://github.com/acme/tool/releases/download/v1.2.3/tool.yaml?raw',
  ])('does not recognise %s', (url) => expect(releaseAssetAt(url)).toBeUndefined());
});

describe('assetPath', () => {
  it('is the path on GitHub of a release asset or a repository file', () => {
    const asset = { repository: 'acme/tool', tag: 'v1.2.3', name: 'tool.yaml' };
    expect(assetPath(asset)).toBe('acme/tool/releases/download/v1.2.3/tool.yaml');
    expect(assetPath({ ...asset, name: 'deploy/tool.yaml', inTree: true })).toBe(
      'acme/tool/raw/v1.2.3/deploy/tool.yaml',
    );
  });
});

describe('CNI_RELEASES', () => {
  it('have known checksums: GitHub has no digest for a repository file', () => {
    const keys = Object.values(CNI_RELEASES).map(({ asset }) => assetKey(asset));
    expect(keys.filter((key) => !/^[0-9a-f]{64}$/.test((checksums as Record<string, string>)[key] ?? ''))).toEqual([]);
  });

  it('have the version in their title', () => {
    for (const { title, asset } of Object.values(CNI_RELEASES)) {
      const version = title.replace(/^.* v/, '');
      expect(`${asset.tag} ${asset.name}`).toContain(version);
    }
  });
});

describe('atVersion', () => {
  it('changes the version everywhere, and nothing else', () => {
    for (const component of knownComponents(versions)) {
      const other = atVersion(component, 'v9.9.9');
      expect(JSON.stringify(other)).toBe(JSON.stringify(component).replaceAll(component.version, 'v9.9.9'));
      expect(assetsOf(other).map(({ tag }) => tag)).toEqual(assetsOf(component).map(() => 'v9.9.9'));
    }
  });
});
