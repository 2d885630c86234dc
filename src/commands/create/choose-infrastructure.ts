import { inputError, KnestError } from '../../errors.ts';
import type { Infrastructure } from '../../catalog/infrastructures.ts';
import { hasKnownImage } from '../../catalog/node-images.ts';
import { AUTOMATIC_ENGINES, engineOf } from '../../cluster/engines/engines.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Connection } from '../../host/connection.ts';
import { unlessForbidden } from '../../host/api/api-error.ts';
import { choiceOn, type ChosenInputs, type CreateInputs } from '../../inputs.ts';
import type { Runtime } from '../../runtime.ts';

/** An infrastructure, and why it is chosen. */
export interface Reasoned {
  readonly infrastructure: Infrastructure;
  readonly reason: string;
}

/** What is installed on a host that serves none. */
const DEFAULT: Infrastructure = 'virtink';

/**
 * Chooses the infrastructure for `auto`, and with it the version and the images. Throws KNEST_INPUT when the inputs and
 * the infrastructure do not go together, and when nothing decides.
 */
export async function chooseInfrastructure(
  { client }: Connection,
  inputs: CreateInputs,
  { report: { log } }: Runtime,
): Promise<ChosenInputs> {
  const { infrastructure: asked } = inputs;
  return log.step('Infrastructure', async (step) => {
    const { infrastructure, reason } =
      asked === 'auto'
        ? await automaticInfrastructure(client, inputs)
        : { infrastructure: asked, reason: 'set by the input' };
    const name = typeof infrastructure === 'object' ? infrastructure.name : infrastructure;
    const choice = choiceOn(infrastructure, inputs);
    if ('problems' in choice) {
      step.line(`${name}: ${reason}`);
      throw inputError(choice.problems);
    }
    const { text } = choice.kubernetesVersion;
    return { value: { ...inputs, ...choice }, result: `${name}: ${reason}; Kubernetes ${text}${choice.origin}` };
  });
}

/**
 * The infrastructure that `auto` means: that of an existing cluster, what an input implies, else what the host serves, by
 * API discovery, which is open to every account. Where several suit, one that has an image of the version. Throws
 * KNEST_INPUT when nothing decides.
 */
export async function automaticInfrastructure(client: KubernetesClient, inputs: CreateInputs): Promise<Reasoned> {
  const existing = await engineOfExisting(client, inputs);
  if (existing !== undefined) return { infrastructure: existing, reason: 'the cluster exists, and has it' };
  const implied = impliedBy(inputs);
  if (implied !== undefined) return implied;
  const suits = (name: Infrastructure): boolean =>
    inputs.clusterTemplate !== undefined || hasKnownImage(name, inputs.askedVersion);
  const found = await Promise.all(
    AUTOMATIC_ENGINES.map(async ({ name, provider, machines }) => {
      const parts = await Promise.all([provider, machines].map((kind) => client.discover(kind)));
      const served = parts.filter((part) => part !== undefined).length;
      return { name, served, isComplete: served === parts.length };
    }),
  );
  const complete = found.filter(({ isComplete }) => isComplete);
  const best = complete.find(({ name }) => suits(name)) ?? complete[0];
  if (best !== undefined) {
    const reason = best === complete[0] ? 'the host serves it' : 'the host serves it, and it has the version';
    return { infrastructure: best.name, reason };
  }
  const [begun, other] = found.filter(({ served }) => served > 0);
  if (begun !== undefined && other === undefined) {
    return { infrastructure: begun.name, reason: 'the host serves a part of it, and nothing of another' };
  }
  if (begun === undefined && inputs.clusterTemplate === undefined) {
    const only = suits(DEFAULT) ? undefined : found.find(({ name }) => suits(name));
    return only === undefined
      ? { infrastructure: DEFAULT, reason: 'the host serves none, and this is the default' }
      : { infrastructure: only.name, reason: 'the host serves none, and this one has the version' };
  }
  const names = AUTOMATIC_ENGINES.map(({ name }) => name).join(' or ');
  throw new KnestError({
    code: 'KNEST_INPUT',
    problem:
      begun === undefined
        ? 'the host serves no infrastructure for the objects of cluster-template'
        : 'the host serves a part of several infrastructures, and none of them in full',
    next: `set infrastructure to ${names}, or to what the template needs`,
  });
}

/** The infrastructure that an existing cluster of the name has, which stays as it is. */
async function engineOfExisting(
  client: KubernetesClient,
  { name, namespace }: CreateInputs,
): Promise<Infrastructure | undefined> {
  if (name === undefined) return undefined;
  const cluster = await unlessForbidden(client.get(Kinds.cluster, name, namespace), undefined);
  // One that is being deleted makes room for a new cluster.
  if (cluster?.metadata.deletionTimestamp !== undefined) return undefined;
  const engine = engineOf(cluster).name;
  return engine === 'other' ? undefined : engine;
}

/** What only one infrastructure has a use for. */
function impliedBy({ controlPlane, workers, nodeImage, persistent }: CreateInputs): Reasoned | undefined {
  if (persistent) return { infrastructure: 'virtink', reason: 'persistent machines need it' };
  if (nodeImage !== undefined) return { infrastructure: 'kubevirt', reason: 'node-image is for it' };
  const isForVirtink = [controlPlane, workers].some(
    ({ kernelImage, rootfsImage, rootfsSize }) => (kernelImage ?? rootfsImage ?? rootfsSize) !== undefined,
  );
  return isForVirtink
    ? { infrastructure: 'virtink', reason: 'an input for its kernel or root file system is set' }
    : undefined;
}
