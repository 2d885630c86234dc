import type { Host } from '../host/host.ts';

/** Makes a volume `data` of a nested cluster on the disk of a machine, on that node if one is given, and a claim `data` that it is bound to. */
export async function makeBoundVolume(host: Host, kubeconfig: string, node?: string): Promise<void> {
  const kubectl = ['kubectl', '--kubeconfig', kubeconfig];
  const size = { storage: '1Gi' };
  const common = { storageClassName: '', accessModes: ['ReadWriteOnce'] };
  const expression = { key: 'kubernetes.io/hostname', operator: 'In', values: [node] };
  const nodeAffinity = { required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } };
  const volume = {
    ...common,
    capacity: size,
    hostPath: { path: '/tmp/data' },
    ...(node !== undefined && { nodeAffinity }),
  };
  const claim = { ...common, volumeName: 'data', resources: { requests: size } };
  const items = [
    { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'data' }, spec: volume },
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: claim },
  ];
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await host.run([...kubectl, 'apply', '-f', '-'], { input });
  const isBound = '--for=jsonpath={.status.phase}=Bound';
  await host.run([...kubectl, 'wait', isBound, 'persistentvolume/data', '--timeout=60s']);
}
