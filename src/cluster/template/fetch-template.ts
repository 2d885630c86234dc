import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { inputError, messageOf } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { TemplateSource } from '../../inputs.ts';
import type { Downloader } from '../../install/download.ts';
import type { Template } from './render.ts';

/** The key that clusterctl takes from a ConfigMap. Source: cmd/clusterctl/client/client.go, DefaultCustomTemplateConfigMapKey. */
const CONFIG_MAP_KEY = 'template';

/**
 * Fetches a template of the user's own, whatever it says. Throws KNEST_INPUT when there is none, and KNEST_DOWNLOAD,
 * KNEST_CHECKSUM, KNEST_PERMISSION.
 */
export async function fetchTemplate(
  client: KubernetesClient,
  source: TemplateSource,
  downloader: Downloader,
): Promise<Template> {
  switch (source.kind) {
    case 'file':
      return { text: await readText(resolve(source.path), source.path), origin: source.path };
    case 'url': {
      const file = await downloader.webFile(source, 'downloaded-template.yaml');
      return { text: await readText(file, source.url), origin: source.url };
    }
    case 'config-map': {
      const { namespace, name } = source;
      const text = await readConfigMap(client, namespace, name);
      return { text, origin: `ConfigMap ${namespace}/${name}` };
    }
  }
}

async function readText(file: string, origin: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    throw inputError([`cluster-template: ${origin} cannot be read: ${messageOf(thrown)}`]);
  }
}

async function readConfigMap(client: KubernetesClient, namespace: string, name: string): Promise<string> {
  const configMap = await client.get(Kinds.configMap, name, namespace);
  if (configMap === undefined) throw inputError([`cluster-template: there is no ConfigMap ${namespace}/${name}`]);
  const { data = {} } = configMap;
  const keys = Object.keys(data);
  const text = data[CONFIG_MAP_KEY] ?? (keys.length === 1 ? data[keys[0] ?? ''] : undefined);
  if (text !== undefined) return text;
  const has = keys.length === 0 ? 'nothing' : keys.join(', ');
  throw inputError([
    `cluster-template: ConfigMap ${namespace}/${name} has ${has}; put the template in the only key, or in "${CONFIG_MAP_KEY}"`,
  ]);
}
