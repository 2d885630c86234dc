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
    maker = jobOn(host, { infrastructure: 'docker', namespace, name });
    const { exitCode, log } = await maker.main();
    expect(exitCode, log).toBe(0);
  });
  afterAll(async () => {
    await maker.post();
    maker.clean();
    act.clean();
  });

  it('gives the cluster that is asked for the machines that are asked for', async () => {
    const { code, log } = await act.run([file], {
      event: 'workflow_dispatch',
      payload: { inputs: { name, replicas: ':3' } },
    });
    expect(code, log).toBe(0);
    expect(log).toContain(`✔ ${name} is scaled (control plane: 1, workers: 3)`);
    const query = [
      'get',
      'machinedeployment',
      `${name}-md-0`,
      '-n',
      namespace,
      '-o',
      'jsonpath={.status.readyReplicas}',
    ];
    expect(await host.kubectl(query)).toBe('3');
  });
});
