import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Host } from '../host/host.ts';
import { versions } from '../host/modules.ts';

/** What `clusterctl init` installs, by the names of its directories in a local repository. */
function releasesWith(clusterAPIVersion: string) {
  const clusterAPI = { repository: 'kubernetes-sigs/cluster-api', tag: clusterAPIVersion };
  return {
    'cert-manager': {
      repository: 'cert-manager/cert-manager',
      tag: versions.certManager,
      asset: 'cert-manager.yaml',
    },
    'cluster-api': { ...clusterAPI, asset: 'core-components.yaml', type: 'CoreProvider' },
    'bootstrap-kubeadm': { ...clusterAPI, asset: 'bootstrap-components.yaml', type: 'BootstrapProvider' },
    'control-plane-kubeadm': { ...clusterAPI, asset: 'control-plane-components.yaml', type: 'ControlPlaneProvider' },
  };
}

/** Writes a local repository of what the host's mirror serves, and clusterctl's configuration for it. Returns its path. */
function writeConfiguration(host: Host, directory: string, clusterAPIVersion: string): string {
  const releases = releasesWith(clusterAPIVersion);
  // The sums are beside the assets.
  const assets = dirname(host.checksums);
  const entries = Object.entries(releases).map(([label, release]) => {
    const { repository, tag, asset } = release;
    mkdirSync(join(directory, label));
    symlinkSync(join(assets, repository, 'releases/download', tag), join(directory, label, tag));
    return { label, release, url: join(directory, label, tag, asset) };
  });
  const providers = entries.flatMap(({ label, release, url }) =>
    'type' in release ? [{ name: label.replace(/^(bootstrap|control-plane)-/, ''), type: release.type, url }] : [],
  );
  const url = join(directory, 'cert-manager', versions.certManager, releases['cert-manager'].asset);
  const file = join(directory, 'clusterctl.yaml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ 'cert-manager': { version: versions.certManager, url }, providers }));
  return file;
}

/** Installs the older Cluster API in a namespace of that name, on a host that has it and cert-manager. */
export async function initOlder(host: Host, namespace: string): Promise<void> {
  await init(host, versions.olderClusterAPI, ['--target-namespace', namespace]);
}

async function init(host: Host, clusterAPIVersion: string, args: readonly string[]): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'knest-clusterctl-'));
  try {
    const config = writeConfiguration(host, directory, clusterAPIVersion);
    const command = ['clusterctl', 'init', '--config', config, ...args];
    const wait = ['--wait-providers', '--wait-provider-timeout', '480'];
    // Without a way out, clusterctl waits long for the answer to its version check.
    await host.run(['env', 'CLUSTERCTL_DISABLE_VERSIONCHECK=true', ...command, ...wait], { timeout: 15 * 60_000 });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
