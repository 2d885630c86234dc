import { inputError, KnestError } from '../../errors.ts';
import type { Infrastructure } from '../../catalog/infrastructures.ts';
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
  const infrastructure =
    asked !== 'auto'
      ? asked
      : await log.step('Infrastructure', async () => {
          const { infrastructure: value, reason } = await automaticInfrastructure(client, inputs);
          return { value, result: `${value}: ${reason}` };
        });
  const choice = choiceOn(infrastructure, inputs);
  if ('problems' in choice) throw inputError(choice.problems.map(({ input, problem }) => `${input}: ${problem}`));
  return { ...inputs, ...choice };
}

/**
 * The infrastructure that `auto` means: that of an existing cluster, what an input implies, else what the host serves, by
 * API discovery, which is open to every account. Throws KNEST_INPUT when nothing decides.
 */
export async function automaticInfrastructure(client: KubernetesClient, inputs: CreateInputs): Promise<Reasoned> {
  const existing = await engineOfExisting(client, inputs);
  if (existing !== undefined) return { infrastructure: existing, reason: 'the cluster exists, and has it' };
  const implied = impliedBy(inputs);
  if (implied !== undefined) return implied;
  const found = await Promise.all(
    AUTOMATIC_ENGINES.map(async ({ name, provider, machines }) => {
      const parts = await Promise.all([provider, machines].map((kind) => client.discover(kind)));
      const served = parts.filter((part) => part !== undefined).length;
      return { name, served, isComplete: served === parts.length };
    }),
  );
  const complete = found.find(({ isComplete }) => isComplete);
  if (complete !== undefined) return { infrastructure: complete.name, reason: 'the host serves it' };
  const [begun, other] = found.filter(({ served }) => served > 0);
  if (begun !== undefined && other === undefined) {
    return { infrastructure: begun.name, reason: 'the host serves a part of it, and nothing of another' };
  }
  if (begun === undefined && inputs.clusterTemplate === undefined) {
    return { infrastructure: 'virtink', reason: 'the host serves none, and this is the default' };
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
