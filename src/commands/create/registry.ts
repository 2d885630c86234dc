import { registrySet } from '../../cluster/addons/resource-set.ts';
import { createDependents } from '../../cluster/lifecycle/apply.ts';
import type { ClaimedCluster } from '../../cluster/lifecycle/claim.ts';
import { registryAddress } from '../../cluster/registry/address.ts';
import { noteBeginning } from '../../cluster/registry/beginning.ts';
import { registryHosting } from '../../cluster/registry/hosting.ts';
import { localPortOf, noRegistry, noteLocalPort, registryHost } from '../../cluster/registry/local-port.ts';
import { withRegistry } from '../../cluster/registry/nodes.ts';
import { registryDeployment, registryPolicy, registryService } from '../../cluster/registry/registry.ts';
import type { ClusterObjects } from '../../cluster/template/plan.ts';
import type { TunnelReady, TunnelUse } from '../../cluster/tunnel/settings.ts';
import { firstLineOf } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { ChosenInputs } from '../../inputs.ts';
import type { Runtime } from '../../runtime.ts';
import { openRegistry, waitForRegistry } from '../steps/open-registry.ts';
import type { CreatePlan } from './plan.ts';

/** What a claimed cluster is to be made of, and the tunnel to its registry. */
export interface WithRegistry {
  readonly objects: ClusterObjects;
  readonly running: TunnelReady | undefined;
}

/**
 * Makes the registry of a claimed cluster, if one is asked for: first the port in this job, then the Service, since the
 * nodes are given both before any machine exists. A cluster that was finished before has it already.
 */
export async function makeRegistry(
  client: KubernetesClient,
  { identity, objects, hasForeignTemplate }: CreatePlan,
  { cluster, isUnfinished }: ClaimedCluster,
  use: TunnelUse,
  { registry, relayImage }: ChosenInputs,
  runtime: Runtime,
): Promise<WithRegistry> {
  if (registry === undefined) return { objects, running: undefined };
  const { signal } = runtime.clock;
  return runtime.report.log.step('Registry', async (step) => {
    const noted = localPortOf(cluster);
    if (noted === undefined && !isUnfinished) throw noRegistry(cluster);
    const { tunnel: running, localPort } = await openRegistry(cluster, noted ?? registry.port, use, step, runtime);
    const result = registryHost(localPort);
    if (!isUnfinished) return { value: { objects, running }, result: `${result}, of the adopted cluster` };
    await noteLocalPort(client, cluster, localPort, signal);
    const dependents = [
      registryDeployment(cluster, registry, relayImage),
      registryService(cluster),
      // Of a template of the user's it is not known which pods its machines are.
      ...(hasForeignTemplate ? [] : [registryPolicy(cluster)]),
    ];
    await createDependents(client, dependents, cluster, identity, signal);
    const address = await registryAddress(client, cluster);
    const hosting = registrySet([registryHosting(localPort)], identity);
    const others = [...withRegistry(objects.others, { address, localPort }), ...hosting];
    return { value: { objects: { ...objects, others }, running }, result: `${result}, for nodes ${address}` };
  });
}

/** Waits until the registry of a cluster takes images, if it has one. Errors: those of `waitForRegistry`. */
export async function finishRegistry(
  client: KubernetesClient,
  { cluster }: ClaimedCluster,
  { registry }: ChosenInputs,
  runtime: Runtime,
): Promise<void> {
  if (registry === undefined) return;
  const pod = await waitForRegistry(client, cluster, runtime);
  if (pod === undefined) return;
  await noteBeginning(client, cluster, pod).catch((thrown: unknown) => {
    runtime.report.log.warn(`later jobs will not notice that the registry restarts: ${firstLineOf(thrown)}`);
  });
}
