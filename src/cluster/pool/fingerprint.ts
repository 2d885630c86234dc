import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { releaseAssetAt } from '../../catalog/release-asset.ts';
import { firstLineOf, inputError } from '../../errors.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { AddonInput, ChosenInputs, CniInput, TemplateSource } from '../../inputs.ts';
import { shownAddress } from '../../values/url-credentials.ts';
import { ownTemplate, serviceType } from '../template/plan.ts';

/** The bundle: a file that no two versions of the action have in common. */
const BUILD = join(import.meta.dirname, 'index.js');

/**
 * What tells the clusters that these inputs make from any others: a hash of all that reaches their nodes, and of the
 * action itself, which has the versions, images and manifests that inputs only name. How long a cluster lives, who owns
 * it and how a job reaches it are not part of it. Throws KNEST_INPUT for a file that cannot be read, and for a URL whose
 * content may change.
 */
export async function poolFingerprint(client: KubernetesClient, inputs: ChosenInputs, build = BUILD): Promise<string> {
  const { controlPlane, workers, infrastructure, kubernetesVersion, images, podNetworkCidr, serviceCidr } = inputs;
  const contents = {
    build: digestOf(await readFile(build)),
    nodes: { controlPlane, workers, infrastructure, images, kubernetesVersion: kubernetesVersion.text },
    networks: [podNetworkCidr?.text, serviceCidr?.text],
    service: serviceType(inputs),
    template: await contentOfTemplate(client, inputs),
    variables: inputs.templateVariables,
    cni: await contentOf('cni', inputs.cni),
    addons: await Promise.all(inputs.addons.map((addon) => contentOf('addons', addon))),
  };
  return digestOf(JSON.stringify(contents)).slice(0, 16);
}

async function contentOf(
  input: 'cni' | 'addons' | 'cluster-template',
  source: CniInput | AddonInput | TemplateSource,
): Promise<unknown> {
  if (source.kind === 'url' && source.sha256 === undefined && releaseAssetAt(source.url) === undefined) {
    const problem = `${shownAddress(source.url)} has no checksum, so a pool cannot notice a change; append #sha256= and its checksum`;
    throw inputError([{ input, problem }]);
  }
  if (source.kind !== 'file') return source;
  try {
    return { kind: source.kind, digest: digestOf(await readFile(source.path)) };
  } catch (thrown) {
    throw inputError([{ input, problem: firstLineOf(thrown) }]);
  }
}

async function contentOfTemplate(
  client: KubernetesClient,
  { clusterTemplate: source, infrastructure }: ChosenInputs,
): Promise<unknown> {
  if (source === undefined) return digestOf((await ownTemplate(infrastructure)).text);
  if (source.kind !== 'config-map') return contentOf('cluster-template', source);
  const { namespace, name } = source;
  return { ...source, data: (await client.get(Kinds.configMap, name, namespace))?.data };
}

function digestOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
