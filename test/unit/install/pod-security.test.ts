import { expect, it } from 'vitest';
import { privilegedNamespaces } from '../../../src/install/pod-security.ts';

const harmless = { containers: [{ securityContext: { capabilities: { add: ['NET_BIND_SERVICE'] } } }], volumes: [{}] };

function manifest(spec: object) {
  const metadata = { name: 'agent', namespace: 'engine' };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'engine' } },
    { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata, spec: { template: { spec } } },
  ];
}

it.each<[string, object, readonly string[]]>([
  ['nothing special', harmless, []],
  ['a privileged container', { containers: [{}, { securityContext: { privileged: true } }] }, ['engine']],
  ['a privileged init container', { initContainers: [{ securityContext: { privileged: true } }] }, ['engine']],
  ['another capability', { containers: [{ securityContext: { capabilities: { add: ['NET_ADMIN'] } } }] }, ['engine']],
  ['a directory of the host', { volumes: [{ hostPath: { path: '/dev' } }] }, ['engine']],
  ['the network of the host', { ...harmless, hostNetwork: true }, ['engine']],
  ['the processes of the host', { ...harmless, hostPID: true }, ['engine']],
])('the namespaces of pods with %s', (_what, spec, namespaces) => {
  expect([...privilegedNamespaces(manifest(spec))]).toEqual(namespaces);
});
