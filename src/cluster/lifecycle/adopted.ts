import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Cluster, Scalable } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import { unlessForbidden } from '../../host/api/api-error.ts';
import { addonsOf, NO_ADDONS, setName } from '../addons/resource-set.ts';
import { Annotations } from '../identity/identity.ts';
import { machineCounts, type MachineCounts } from '../machines/machine-counts.ts';
import type { ClusterObjects } from '../template/plan.ts';
import { belongingTo } from '../identity/cluster-handle.ts';

/** What a cluster consists of, as far as inputs ask for it. */
export interface ClusterFacts {
  readonly machines: MachineCounts;
  /** With a leading `v`; undefined where neither a topology nor a KubeadmControlPlane has it. */
  readonly kubernetesVersion: string | undefined;
}

/** What an adopted cluster has, and what the inputs of the create that adopted it ask for instead. */
export interface AdoptedCluster extends ClusterFacts {
  /** A sentence each, with the command that makes the difference go. */
  readonly differences: readonly string[];
}

/** What a cluster consists of now. Throws what RestClient throws. */
export async function readFacts(client: KubernetesClient, cluster: Cluster): Promise<ClusterFacts> {
  const { name, namespace = '' } = cluster.metadata;
  const { kind, name: controlPlane = '' } = cluster.spec?.controlPlaneRef ?? {};
  const isKubeadm = kind === Kinds.kubeadmControlPlane.kind;
  const [found, deployments] = await Promise.all([
    isKubeadm ? unlessForbidden(client.get(Kinds.kubeadmControlPlane, controlPlane, namespace), undefined) : undefined,
    client.list(Kinds.machineDeployment, belongingTo({ name, namespace })),
  ]);
  // Lists leave the kind of their items out.
  const workers = deployments.map((object) => ({ ...object, kind: Kinds.machineDeployment.kind }));
  return factsOf([{ ...cluster, kind: Kinds.cluster.kind }, ...(found === undefined ? [] : [found]), ...workers]);
}

/** Looks at a cluster that was adopted and stays as it is. Throws what RestClient throws. */
export async function inspectAdopted(
  client: KubernetesClient,
  cluster: Cluster,
  plan: ClusterObjects,
): Promise<AdoptedCluster> {
  const { name, namespace = '' } = cluster.metadata;
  const wantedSet = plan.others.find(isResourceSet);
  const [facts, has] = await Promise.all([
    readFacts(client, cluster),
    unlessForbidden(client.get(Kinds.clusterResourceSet, setName(name), namespace).then(addonsIn), undefined),
  ]);
  const addons = { has, asked: wantedSet && addonsOf(wantedSet) };
  return { ...facts, differences: differencesOf(cluster, { ...facts, addons }, plan) };
}

/** What objects say of the cluster that they make. */
export function factsOf(objects: readonly KubernetesObject[]): ClusterFacts {
  const of = (kind: string): KubernetesObject | undefined => objects.find((object) => object.kind === kind);
  const cluster: Cluster | undefined = of('Cluster');
  const controlPlane: Scalable | undefined = of(Kinds.kubeadmControlPlane.kind);
  return {
    machines: machineCounts(objects),
    kubernetesVersion: cluster?.spec?.topology?.version ?? controlPlane?.spec?.version,
  };
}

/** The add-ons of a cluster, by the set that it has or has not. */
function addonsIn(set: KubernetesObject | undefined): string | undefined {
  return set === undefined ? NO_ADDONS : addonsOf(set);
}

function isResourceSet({ kind }: KubernetesObject): boolean {
  return kind === Kinds.clusterResourceSet.kind;
}

/** What is compared with what inputs ask for. */
interface Compared extends ClusterFacts {
  readonly addons: { readonly has: string | undefined; readonly asked: string | undefined };
}

function differencesOf(cluster: Cluster, facts: Compared, plan: ClusterObjects): readonly string[] {
  const again = 'delete it (command: delete) and create it again to change that';
  const wanted = factsOf([plan.cluster, ...plan.others]);
  const engine = ({ spec }: Cluster): string | undefined => spec?.infrastructureRef?.kind;
  const differences = [
    ...unequal(
      engine(cluster),
      engine(plan.cluster),
      (has, asked) => `its infrastructure is ${has}, not ${asked}; ${again}`,
    ),
    ...unequal(
      facts.kubernetesVersion,
      wanted.kubernetesVersion,
      (has, asked) => `its Kubernetes version is ${has}, not ${asked}; ${again}`,
    ),
    ...unequal(
      replicas(facts.machines),
      replicas(wanted.machines),
      (has, asked) =>
        `it has ${has} machines (CP:WORKER), not ${asked}; run command: scale with replicas: '${asked}' to change that`,
    ),
    ...unequal(
      facts.addons.has,
      facts.addons.asked,
      (has, asked) => `its add-ons are ${has}, not ${asked}; install them with kubectl, or ${again}`,
    ),
  ];
  const isSameTemplate = cluster.metadata.annotations?.[Annotations.template] === plan.fingerprint;
  if (isSameTemplate || differences.length > 0) return differences;
  return [`it was created from another template, or with other inputs or a version of this action; ${again}`];
}

/** The line for two values that are both known and differ. */
function unequal(
  has: string | undefined,
  asked: string | undefined,
  line: (has: string, asked: string) => string,
): readonly string[] {
  return has === undefined || asked === undefined || has === asked ? [] : [line(has, asked)];
}

/** The counts as the input `replicas` has them; undefined where one of them is not known. */
function replicas({ controlPlane, workers }: MachineCounts): string | undefined {
  return controlPlane === undefined || workers === undefined ? undefined : `${controlPlane}:${workers}`;
}
