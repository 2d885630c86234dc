import type { InfrastructureProvider } from '../infrastructures.ts';
import type { ProviderComponent } from './component.ts';

/**
 * Where the infrastructure providers that clusterctl knows are released, by clusterctl's name for them; that of Virtink
 * has its own inputs. Source: cluster-api v1.14.2 cmd/clusterctl/client/config/providers_client.go.
 */
const REPOSITORIES: Readonly<Record<string, string>> = {
  aws: 'kubernetes-sigs/cluster-api-provider-aws',
  azure: 'kubernetes-sigs/cluster-api-provider-azure',
  byoh: 'vmware-tanzu/cluster-api-provider-bringyourownhost',
  'cloudscale-ch-cloudscale': 'cloudscale-ch/cluster-api-provider-cloudscale',
  cloudstack: 'kubernetes-sigs/cluster-api-provider-cloudstack',
  coxedge: 'coxedge/cluster-api-provider-coxedge',
  digitalocean: 'kubernetes-sigs/cluster-api-provider-digitalocean',
  docker: 'kubernetes-sigs/cluster-api',
  gcp: 'kubernetes-sigs/cluster-api-provider-gcp',
  'harvester-harvester': 'rancher-sandbox/cluster-api-provider-harvester',
  hetzner: 'syself/cluster-api-provider-hetzner',
  'hivelocity-hivelocity': 'hivelocity/cluster-api-provider-hivelocity',
  huawei: 'HuaweiCloudDeveloper/cluster-api-provider-huawei',
  ibmcloud: 'kubernetes-sigs/cluster-api-provider-ibmcloud',
  'ionoscloud-ionoscloud': 'ionos-cloud/cluster-api-provider-ionoscloud',
  'k0sproject-k0smotron': 'k0sproject/k0smotron',
  kubekey: 'kubesphere/kubekey',
  'kubeswift-io': 'kubeswift-io/cluster-api-provider-kubeswift',
  kubevirt: 'kubernetes-sigs/cluster-api-provider-kubevirt',
  'linode-linode': 'linode/cluster-api-provider-linode',
  maas: 'spectrocloud/cluster-api-provider-maas',
  'metal-stack': 'metal-stack/cluster-api-provider-metal-stack',
  metal3: 'metal3-io/cluster-api-provider-metal3',
  nested: 'kubernetes-sigs/cluster-api-provider-nested',
  nutanix: 'nutanix-cloud-native/cluster-api-provider-nutanix',
  oci: 'oracle/cluster-api-provider-oci',
  opennebula: 'OpenNebula/cluster-api-provider-opennebula',
  openstack: 'kubernetes-sigs/cluster-api-provider-openstack',
  outscale: 'outscale/cluster-api-provider-outscale',
  oxide: 'oxidecomputer/cluster-api-provider-oxide',
  proxmox: 'ionos-cloud/cluster-api-provider-proxmox',
  scaleway: 'scaleway/cluster-api-provider-scaleway',
  sidero: 'siderolabs/sidero',
  'tinkerbell-tinkerbell': 'tinkerbell/cluster-api-provider-tinkerbell',
  vcd: 'vmware/cluster-api-provider-cloud-director',
  vcluster: 'loft-sh/cluster-api-provider-vcluster',
  vsphere: 'kubernetes-sigs/cluster-api-provider-vsphere',
  'vultr-vultr': 'vultr/cluster-api-provider-vultr',
};

/** The asset of a release that installs it, where it is not what all others call it. Source: as above. */
const ASSETS: Readonly<Record<string, string>> = { docker: 'infrastructure-components-development.yaml' };

/** The names of the providers that can be asked for as `NAME:vX.Y.Z`. */
export const PROVIDER_NAMES: readonly string[] = Object.keys(REPOSITORIES);

/**
 * A provider that the action knows by name alone. What it consists of is seen once it is there: `asFound`
 * in inventory.ts tells. Throws a RangeError for a name that is not in PROVIDER_NAMES.
 */
export function infrastructureProvider({ name, version }: InfrastructureProvider): ProviderComponent {
  const repository = REPOSITORIES[name];
  if (repository === undefined) throw new RangeError(`there is no provider ${name}`);
  return {
    installer: 'clusterctl',
    title: `${name} provider`,
    version,
    provider: { name, type: 'InfrastructureProvider' },
    manifest: { repository, tag: version, name: ASSETS[name] ?? 'infrastructure-components.yaml' },
    metadata: { repository, tag: version, name: 'metadata.yaml' },
    crd: undefined,
    workloads: [],
  };
}
