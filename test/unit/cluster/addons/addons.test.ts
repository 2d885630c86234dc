import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { assetPath, type ReleaseAsset } from '../../../../src/catalog/release-asset.ts';
import { addonRisks, prepareAddons, withoutMetrics } from '../../../../src/cluster/addons/addons.ts';
import type { Manifest } from '../../../../src/cluster/addons/manifest.ts';
import type { AddonInput } from '../../../../src/inputs.ts';
import { Downloader } from '../../../../src/install/download.ts';
import { downloadRuntime, fromGithub } from '../../../support/downloads.ts';
import { rejection } from '../../rejection.ts';

const METRICS_SERVER = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: metrics-server, namespace: kube-system}
spec: {template: {spec: {containers: [{name: metrics-server}]}}}
`;
const known: AddonInput = { kind: 'known', name: 'metrics-server' };

/** Prepares add-ons, with a manifest of metrics-server for every download. `files`: texts of manifests by their names. */
function preparing(inputs: readonly AddonInput[], workers = 1, files: Readonly<Record<string, string>> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'addons-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  const downloads: string[] = [];
  class Noting extends Downloader {
    override file(asset: ReleaseAsset, path: string, origin?: string): Promise<string> {
      downloads.push(`${assetPath(asset)} of the ${origin}`);
      const file = join(directory, path.replaceAll('/', '-'));
      writeFileSync(file, METRICS_SERVER);
      return Promise.resolve(file);
    }
  }
  const placed = inputs.map((one) => (one.kind === 'file' ? { ...one, path: join(directory, one.path) } : one));
  const downloader = new Noting(fromGithub, downloadRuntime(directory));
  return { addons: prepareAddons(placed, { downloader, workers }), downloads, directory };
}

const names = ({ objects }: Manifest): string[] => objects.map(({ metadata }) => metadata.name);

describe('prepareAddons', () => {
  it('is nothing for no add-ons', async () => {
    expect(await preparing([]).addons).toEqual({ description: 'none', objects: [] });
  });

  it('has the objects of all, in the order of the list', async () => {
    const file: AddonInput = { kind: 'file', path: 'own.yaml' };
    const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\n';
    const { addons, downloads, directory } = preparing([file, known], 1, { 'own.yaml': text });
    const prepared = await addons;
    expect(names(prepared)).toEqual(['own', 'metrics-server']);
    expect(prepared.description).toBe(`${directory}/own.yaml, metrics-server v0.9.0 (2 objects)`);
    expect(prepared.objects[0]?.metadata.namespace).toBe('default');
    expect(JSON.stringify(prepared.objects)).toContain('--kubelet-insecure-tls');
    expect(downloads).toEqual([
      'kubernetes-sigs/metrics-server/releases/download/v0.9.0/components.yaml of the action',
    ]);
  });

  it('lets known add-ons run on the control plane of a cluster without workers', async () => {
    const tolerates = async (workers: number): Promise<boolean> =>
      JSON.stringify((await preparing([known], workers).addons).objects).includes('tolerations');
    expect([await tolerates(0), await tolerates(1)]).toEqual([true, false]);
  });

  it('refuses a manifest that cannot be used as this input', async () => {
    const { addons } = preparing([{ kind: 'file', path: 'own.yaml' }], 1, { 'own.yaml': '# nothing\n' });
    expect(await rejection(addons)).toMatchObject({
      code: 'KNEST_INPUT',
      evidence: [expect.stringMatching(/^addons: \S+own\.yaml is not a usable manifest: it has no objects$/)],
    });
  });
});

describe('addonRisks', () => {
  it('names add-ons that do not support the version of Kubernetes', () => {
    const all = [known, { kind: 'known', name: 'local-path-provisioner' }, { kind: 'file', path: 'a.yaml' }] as const;
    expect(addonRisks(all, 24, 'nodes')).toEqual(['metrics-server v0.9.0 supports Kubernetes 1.34 and newer only']);
    expect(addonRisks(all, 34, 'nodes')).toEqual([]);
  });

  it('says that nothing waits for add-ons, unless nodes are waited for', () => {
    for (const waitFor of ['none', 'control-plane'] as const) {
      expect(addonRisks([{ kind: 'file', path: 'a.yaml' }], 34, waitFor)).toEqual([
        expect.stringContaining('wait-for: nodes waits until they run'),
      ]);
    }
    expect(addonRisks([], 34, 'control-plane')).toEqual([]);
  });
});

describe('withoutMetrics', () => {
  it('warns of metrics-server without a CNI, and of nothing else', () => {
    const storage: AddonInput = { kind: 'known', name: 'local-path-provisioner' };
    expect(withoutMetrics([storage, known], { kind: 'none' })).toContain('its API is unavailable');
    expect(withoutMetrics([known], { kind: 'known', name: 'flannel' })).toBeUndefined();
    expect(withoutMetrics([storage, { kind: 'file', path: 'metrics-server' }], { kind: 'none' })).toBeUndefined();
  });
});
