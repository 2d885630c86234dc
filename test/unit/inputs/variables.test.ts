import { describe, expect, it } from 'vitest';
import { allVariables } from '../../../src/cluster/template/plan.ts';
import { cidr } from '../cluster/samples.ts';
import { problems, readChosen, readCreate } from './given-inputs.ts';

const own = { 'cluster-template': 't.yaml' };
const networks = { pods: cidr('10.95.0.0/16'), services: cidr('10.97.0.0/16') };
const identity = { name: 'pr-17', namespace: 'knest' };

describe('template-variables', () => {
  it('are in upper case, since clusterctl looks for them that way', () => {
    const { templateVariables } = readCreate({ ...own, 'template-variables': 'TEAM=blue\nkey="one\ntwo"' });
    expect(templateVariables).toEqual({ TEAM: 'blue', KEY: 'one\ntwo' });
  });

  it('override only the names that other templates use for inputs', () => {
    const inputs = readChosen({ ...own, 'template-variables': 'POD_CIDR=10.1.0.0/16' });
    expect(allVariables(inputs, identity, networks)).toMatchObject({
      CLUSTER_NAME: 'pr-17',
      NAMESPACE: 'knest',
      POD_NETWORK_CIDR: '10.95.0.0/16',
      POD_CIDR: '10.1.0.0/16',
      VIRTINK_POD_NETWORK_CIDR: '10.95.0.0/16',
    });
  });

  it('may not set what an input sets', () => {
    const names = Object.keys(allVariables(readChosen(), identity, networks));
    const set = names.filter((name) => !/^(?:VIRTINK_|POD_CIDR$)/.test(name));
    const text = set.map((name) => `${name}=x`).join('\n');
    const found = problems({ ...own, 'template-variables': text });
    expect(set.length).toBeGreaterThan(15);
    expect(found).toHaveLength(set.length);
    expect(found).toContain(
      'template-variables: KUBERNETES_VERSION is set by the input kubernetes-version; use that input',
    );
    expect(found).toContain(
      'template-variables: CONTROL_PLANE_MACHINE_CPU_CORES is set by the input control-plane-machine-cpu-cores; use that input',
    );
    expect(found).toContain('template-variables: NAMESPACE is set by the input namespace; use that input');
  });

  it('require a template of the user', () => {
    expect(problems({ 'template-variables': 'TEAM=blue' })).toEqual([
      'template-variables: is set, but the template of the action does not use it; set cluster-template',
    ]);
  });
});

it('one error lists all problems of both inputs, without their values', () => {
  const text = 'secret\nA="secret';
  expect(problems({ ...own, 'template-variables': text, 'provider-variables': text })).toEqual([
    'template-variables: line 1 is not NAME=value; put quotes around a multi-line value',
    'template-variables: line 2 has no closing "',
    'provider-variables: line 1 is not NAME=value; put quotes around a multi-line value',
    'provider-variables: line 2 has no closing "',
  ]);
});
