/** The spelling of the kinds whose plurals do not say where a word begins. */
const WORDS = /^(virtink|kubevirt|dev)(cluster|machine)(template)?s$/;

/** A version that no provider has. */
export const UNKNOWN_VERSION = 'v9';

/**
 * The CustomResourceDefinition of a resource of an infrastructure provider that the host does not have, as JSON: with any
 * fields, in the version of the provider and an unknown one.
 */
export function customResource(group: string, plural: string): string {
  const [, provider = '', what = '', template = ''] = WORDS.exec(plural) ?? [];
  const kind = [provider, what, template].map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  const schema = {
    openAPIV3Schema: {
      type: 'object',
      properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    },
  };
  const version = { kubevirt: 'v1alpha1', virtink: 'v1beta1' }[provider] ?? 'v1beta2';
  return JSON.stringify({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, kind, singular: plural.slice(0, -1) },
      versions: [version, UNKNOWN_VERSION].map((name, index) => ({ name, served: true, storage: index === 0, schema })),
    },
  });
}
