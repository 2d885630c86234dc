import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../support/runner.ts';
import { jobOn, sharedHost } from '../support.ts';
import { Act, namespace } from './act.ts';

const host = sharedHost();
const file = 'scale.yml';
const name = 'scaled';

describe(`workflows/${file}`, () => {
  let act: Act;
  let maker: Job;
  beforeAll(async () => {
    act = await Act.prepare(host);
    maker = jobOn(host, { infrastructure: 'in-memory', namespace, name });
    const { exitCode, log } = await maker.main();
    expect(exitCode, log).toBe(0);
  });
  afterAll(async () => {
    await maker.post();
    maker.clean();
    act.clean();
  });

  it('scales the given cluster to the given replicas', async () => {
    const { code, log } = await act.run([file], {
      event: 'workflow_dispatch',
      payload: { inputs: { name, replicas: ':3' } },
    });
    expect(code, log).toBe(0);
    expect(log).toContain(`✔ ${name} is scaled (control plane: 1, workers: 3)`);
    // Nodes, which the command promises. The MachineDeployment counts Ready nodes later.
    const workers = `cluster.x-k8s.io/cluster-name=${name},!cluster.x-k8s.io/control-plane`;
    const jsonpath = 'jsonpath={range .items[*]}{.status.nodeRef.name}{"\\n"}{end}';
    const nodes = await host.kubectl(['get', 'machines', '-n', namespace, '-l', workers, '-o', jsonpath]);
    expect(nodes.match(/^.+$/gm)).toHaveLength(3);
  });
});
