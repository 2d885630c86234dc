import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { inputError, messageOf } from '../errors.ts';
import type { KubernetesClient } from '../host/client.ts';
import { Kinds } from '../host/kinds.ts';
import type { TemplateSource } from '../inputs.ts';
import type { Downloader } from '../install/download.ts';

/** A template of the user's own, on the runner. */
export interface CustomTemplate {
  /** Where clusterctl reads it. */
  readonly file: string;
  readonly text: string;
  /** Where it comes from, for people. */
  readonly origin: string;
}

/** The key that clusterctl takes from a ConfigMap. Source: cmd/clusterctl/client/client.go, DefaultCustomTemplateConfigMapKey. */
const CONFIG_MAP_KEY = 'template';

/**
 * Fetches the template, whatever it says. `directory`: a private one. Throws KNEST_INPUT when there is none, and
 * KNEST_DOWNLOAD, KNEST_CHECKSUM, KNEST_PERMISSION.
 */
export async function fetchTemplate(
  client: KubernetesClient,
  source: TemplateSource,
  downloader: Downloader,
  directory: string,
): Promise<CustomTemplate> {
  switch (source.kind) {
    case 'file': {
      const file = resolve(source.path);
      return { file, text: await readText(file, source.path), origin: source.path };
    }
    case 'url': {
      const file = await downloader.webFile(source, 'template.yaml');
      return { file, text: await readText(file, source.url), origin: source.url };
    }
    case 'config-map': {
      const { namespace, name } = source;
      const text = await readConfigMap(client, namespace, name);
      const file = join(directory, 'template.yaml');
      await writeFile(file, text);
      return { file, text, origin: `ConfigMap ${namespace}/${name}` };
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
    `cluster-template: ConfigMap ${namespace}/${name} has ${has}; the template is its only key, or "${CONFIG_MAP_KEY}"`,
  ]);
}
