import { readFile } from 'node:fs/promises';
import { KnestError, messageOf } from '../../errors.ts';
import { parseManifest } from '../../host/api/manifest.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import type { Infrastructure } from '../../catalog/infrastructures.ts';
import type { KnownCni } from '../../catalog/cni-releases.ts';
import type { CniInput } from '../../inputs.ts';
import { CNI_RELEASES } from '../../catalog/cni-releases.ts';
import type { Downloader } from '../../install/download.ts';
import type { Cidr } from '../../values/cidr.ts';
import { basicEnvironment } from '../../runner/process.ts';
import type { RunProcess } from '../../runner/process.ts';
import { engineNamed } from '../engines/engines.ts';
import { described, ownObjects, placeOf, type Manifest } from './manifest.ts';
import { withCalicoPool, withFlannelNetwork } from './manifest-patches.ts';

/** What preparing a CNI takes. */
export interface CniSources {
  readonly downloader: Downloader;
  readonly run: RunProcess;
  readonly env: NodeJS.ProcessEnv;
  /** The infrastructure whose template of the action's own is used; undefined for one of the user's. */
  readonly template: Infrastructure | undefined;
  /** The pod CIDR of the cluster: IPv4 for a known CNI. */
  readonly pods: Cidr;
  /** Without a leading `v`. */
  readonly kubernetesVersion: string;
}

/**
 * Gets the manifest of a CNI and sets it up for the cluster; a user's own is taken as it is. Throws KNEST_DOWNLOAD,
 * KNEST_CHECKSUM, KNEST_INPUT for a manifest that cannot be used, KNEST_CNI when helm cannot render a chart.
 */
export async function prepareCni(input: CniInput, sources: CniSources): Promise<Manifest> {
  switch (input.kind) {
    case 'none':
      return { description: describeNone(sources.template), objects: [] };
    case 'known':
      return described(CNI_RELEASES[input.name].title, await knownObjects(input.name, sources));
    default:
      return described(placeOf(input), await ownObjects('cni', input, sources.downloader, 'cni/manifest.yaml'));
  }
}

/** What no CNI means; of health checks in a template of the user's nothing is known. */
function describeNone(template: Infrastructure | undefined): string {
  const own = template === undefined ? undefined : engineNamed(template).template;
  return own?.withoutCni ?? 'none: nodes stay NotReady until you install one';
}

async function knownObjects(name: KnownCni, sources: CniSources): Promise<readonly KubernetesObject[]> {
  const { asset } = CNI_RELEASES[name];
  const file = await sources.downloader.file(asset, `cni/${asset.name}`);
  switch (name) {
    case 'calico':
      return withCalicoPool(parseManifest(await readFile(file, 'utf8')), sources.pods.text);
    case 'cilium':
      return parseManifest(await renderCilium(file, sources));
    case 'flannel':
      return withFlannelNetwork(parseManifest(await readFile(file, 'utf8')), sources.pods.text);
  }
}

/**
 * Cilium publishes a chart and no manifest, so helm renders it: the job's own, since GitHub's runners have it and its
 * project offers no download from GitHub. Hubble is left out: it would put a certificate made here into the manifest.
 */
async function renderCilium(chart: string, { run, env, pods, kubernetesVersion }: CniSources): Promise<string> {
  const values = [
    'routingMode=tunnel',
    'tunnelProtocol=vxlan',
    'ipam.mode=cluster-pool',
    `ipam.operator.clusterPoolIPv4PodCIDRList={${pods.text}}`,
    'operator.replicas=1', // two would want two nodes
    'hubble.enabled=false',
  ];
  const place = ['--namespace', 'kube-system', '--kube-version', kubernetesVersion];
  const args = ['template', 'cilium', chart, ...place, ...values.flatMap((value) => ['--set', value])];
  const { exitCode, stdout, stderr } = await run('helm', args, basicEnvironment(env)).catch((thrown: unknown) => {
    if (thrown instanceof KnestError) throw thrown; // the job was cancelled, or its time is up
    throw new KnestError({
      code: 'KNEST_CNI',
      problem: 'cannot run helm, which renders the Cilium chart',
      evidence: [messageOf(thrown)],
      next: 'install helm 3 in an earlier step, or set cni to a manifest that you rendered yourself',
      cause: thrown,
    });
  });
  if (exitCode === 0) return stdout;
  throw new KnestError({
    code: 'KNEST_CNI',
    problem: 'helm cannot render the Cilium chart',
    evidence: stderr.trim().split('\n').slice(-8),
    next: 'use helm 3, or set cni to a manifest that you rendered yourself',
  });
}
