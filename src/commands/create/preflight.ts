import { checkAddressesFree, checkAddressesInPodNetwork } from '../../cluster/machines/address-pool.ts';
import { checkCapacity, describeMissingDevice } from '../../cluster/machines/capacity.ts';
import { checkDiskLimits } from '../../cluster/machines/disk-limits.ts';
import { fetchTemplate } from '../../cluster/template/fetch-template.ts';
import { checkEncapsulation } from '../../cluster/addons/host-calico.ts';
import { engineNamed } from '../../cluster/engines/engines.ts';
import type { ClusterIdentity } from '../../cluster/identity/identity.ts';
import { chooseNetworks, type ClusterNetworks } from '../../cluster/template/networks.ts';
import { installPermissions, permissionsOf } from '../../permissions/permissions.ts';
import type { Feature } from '../../permissions/rule.ts';
import type { Template } from '../../cluster/template/render.ts';
import type { Connection } from '../../host/connection.ts';
import { felixDrops } from '../../host/calico.ts';
import { describeSocketBalancer } from '../../host/cilium.ts';
import { cniNetworks, describeAssumed, hostNetworks } from '../../host/networks.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { unlessForbidden } from '../../host/api/api-error.ts';
import { checkDefaultStorageClass } from '../../host/storage-class.ts';
import { checkPermissions } from '../../permissions/check-permissions.ts';
import type { ChosenInputs } from '../../inputs.ts';
import { type Component } from '../../catalog/components/component.ts';
import { requiredComponents } from '../../catalog/components/required-components.ts';
import type { Downloader } from '../../install/download.ts';
import { describeInventory, takeInventory, type Inventory } from '../../install/inventory.ts';
import { describeRateLimits } from '../../install/rate-limits.ts';
import { checkServed } from '../../install/served.ts';
import type { Runtime } from '../../runtime.ts';

/** What a look at the host showed. */
export interface Found {
  readonly networks: ClusterNetworks;
  /** What has to be there in the end. */
  readonly components: readonly Component[];
  /** What is there; undefined when these credentials may not look. */
  readonly inventory: Inventory | undefined;
  /** The template of the user's own, if one is named. */
  readonly template: Template | undefined;
}

/** Describes a host whose components these credentials may not list. */
const NOT_READ = { text: 'cannot list installed components; assuming they are complete', isComplete: true };

/**
 * Looks before anything is written: that these credentials may do what is needed, that ranges, addresses and storage
 * suit, and what is missing. Errors: KNEST_PERMISSION, KNEST_INPUT, KNEST_HOST_NETWORK, KNEST_STORAGE_CLASS,
 * KNEST_ADDRESS_POOL, KNEST_UNSCHEDULABLE, KNEST_INFRASTRUCTURE, KNEST_UNSUPPORTED_VERSION, KNEST_TEMPLATE, KNEST_INSTALL.
 */
export async function preflight(
  { client }: Connection,
  identity: ClusterIdentity,
  inputs: ChosenInputs,
  downloader: Downloader,
  runtime: Runtime,
): Promise<Found> {
  return runtime.report.log.step('Preflight', async (step) => {
    const components = requiredComponents(inputs.versions, inputs.infrastructure, inputs.persistent);
    const { clusterTemplate } = inputs;
    const nodes = unlessForbidden(client.list(Kinds.node), []);
    const [used, drops, inventory, template] = await Promise.all([
      nodes.then((all) => hostNetworks(client, all)),
      felixDrops(client),
      takeInventory(client),
      clusterTemplate && fetchTemplate(client, clusterTemplate, downloader),
    ]);
    const networks = chooseNetworks(inputs, used);
    // A single machine sends no packets to others.
    const isAlone = inputs.controlPlane.count + inputs.workers.count === 1;
    const dropped = isAlone ? undefined : checkEncapsulation(inputs.cni, drops);
    if (dropped !== undefined) step.line(dropped);
    const { text, isComplete } = inventory === undefined ? NOT_READ : describeInventory(components, inventory);
    const features = featuresOf(inputs);
    const permissions = permissionsOf('create', inputs.namespace, features);
    await checkPermissions(client, isComplete ? permissions : [...permissions, ...installPermissions(features)]);
    if (inventory === undefined) await checkServed(client, components);
    const { virtualMachines } = engineNamed(inputs.infrastructure);
    if (virtualMachines !== undefined && clusterTemplate === undefined) {
      // One that is there already, and may be adopted, keeps its machines as they are.
      const existing = await unlessForbidden(client.get(Kinds.cluster, identity.name, identity.namespace), undefined);
      const machines = { 'control-plane': inputs.controlPlane, worker: inputs.workers };
      if (existing === undefined) {
        checkCapacity(await nodes, machines, virtualMachines);
        const limitRanges = await unlessForbidden(client.list(Kinds.limitRange, { namespace: identity.namespace }), []);
        for (const line of checkDiskLimits(limitRanges, virtualMachines)) step.line(line);
      }
      const missing = describeMissingDevice(await nodes, virtualMachines);
      const unreached = await describeSocketBalancer(client);
      for (const line of [missing, unreached]) if (line !== undefined) step.line(line);
    }
    if (inputs.persistent) {
      await checkDefaultStorageClass(client);
      const more = await cniNetworks(client);
      if (more !== undefined) checkAddressesInPodNetwork(inputs.machineAddresses, [...used.pods, ...more]);
      else
        step.line("cannot read the ranges of the host's CNI; assuming that they include persistent-machine-addresses");
      await checkAddressesFree(client, identity, inputs.machineAddresses);
    }
    const limits = inventory && describeRateLimits(components, inventory);
    if (limits !== undefined) step.line(limits);
    const assumed = describeAssumed(used.assumed);
    if (assumed !== undefined) step.line(assumed);
    const state = assumed === undefined ? 'free' : 'not known to be used';
    const ranges = `CIDRs ${networks.pods.text} and ${networks.services.text} ${state}`;
    return { value: { networks, components, inventory, template }, result: `permissions, ${ranges}, ${text}` };
  });
}

/** What this cluster has that others do not, as far as it asks more of the host. */
function featuresOf({
  infrastructure,
  cni,
  addons,
  persistent,
  apiAccess,
  registry,
  waitFor,
}: ChosenInputs): readonly Feature[] {
  return [
    ...(typeof infrastructure === 'string' ? [infrastructure] : []),
    ...(cni.kind === 'none' && addons.length === 0 ? [] : ['addons' as const]),
    ...(persistent ? ['persistent' as const] : []),
    ...(registry === undefined ? [] : ['registry' as const]),
    ...(apiAccess === 'tunnel' && waitFor !== 'none' ? ['tunnel' as const] : []),
  ];
}
