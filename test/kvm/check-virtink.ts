import { parseArgs } from 'node:util';
import { run } from '../host/process.ts';
import { readVirtinkObjects, VIRTINK_BEHAVIORS } from './virtink-behaviors.ts';

// Compares the real Virtink with the table of what its stand-ins do. Run by e2e-kvm.yml:
//   node test/kvm/check-virtink.ts --kubeconfig FILE --namespace NAMESPACE --cluster NAME
const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string', default: '' },
    namespace: { type: 'string', default: '' },
    cluster: { type: 'string', default: '' },
  },
});
const { kubeconfig, namespace, cluster } = values;
const objects = await readVirtinkObjects(cluster, (kind) =>
  run('kubectl', ['--kubeconfig', kubeconfig, 'get', kind, '--namespace', namespace, '--output=json']),
);
let differs = 0;
for (const { title, differences } of VIRTINK_BEHAVIORS) {
  const found = differences(objects);
  process.stdout.write(`${found.length === 0 ? 'same   ' : 'DIFFERS'}  ${title}\n`);
  for (const line of found) process.stdout.write(`           ${line}\n`);
  differs += found.length;
}
process.exitCode = differs === 0 ? 0 : 1;
