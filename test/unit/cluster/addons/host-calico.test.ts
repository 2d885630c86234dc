import { describe, expect, it } from 'vitest';
import { checkEncapsulation } from '../../../../src/cluster/addons/host-calico.ts';
import { KnestError } from '../../../../src/errors.ts';
import type { FelixDrops } from '../../../../src/host/calico.ts';
import type { CniInput } from '../../../../src/inputs.ts';

const drops = (parts: Partial<FelixDrops> = {}): FelixDrops => ({
  vxlanPort: 4789,
  ipip: true,
  resource: 'felixconfigurations.crd.projectcalico.org default',
  ...parts,
});
const known = (name: 'calico' | 'cilium' | 'flannel'): CniInput => ({ kind: 'known', name });
const allowVxlan =
  'kubectl patch felixconfigurations.crd.projectcalico.org default --type=merge ' +
  `--patch '{"spec":{"allowVXLANPacketsFromWorkloads":true}}'`;

describe('checkEncapsulation', () => {
  it.each([
    ['calico', drops()],
    ['flannel', drops({ vxlanPort: 8472 })],
    ['cilium', drops({ vxlanPort: 8472 })],
  ] as const)('refuses %s when the host drops its VXLAN port, with the command that fixes it', (name, found) => {
    const check = (): unknown => checkEncapsulation(known(name), found);
    expect(check).toThrow(KnestError);
    expect(check).toThrow(/^the host's Calico drops the VXLAN packets \(UDP port \d+\) that \S+ v[\d.]+ sends/);
    expect(check).toThrow(`Next: allow them: ${allowVxlan}`);
  });

  it.each([
    ['calico', drops({ vxlanPort: undefined })],
    ['calico', drops({ vxlanPort: 8472 })],
    ['flannel', drops()],
    ['cilium', drops()],
    ['calico', undefined],
  ] as const)('accepts %s on a host that drops %o', (name, found) => {
    expect(checkEncapsulation(known(name), found)).toBeUndefined();
  });

  it.each<CniInput>([{ kind: 'none' }, { kind: 'file', path: 'cni.yaml' }])(
    'warns about the packets that the host drops for a CNI of %o',
    (cni) => {
      expect(checkEncapsulation(cni, drops({ ipip: false }))).toBe(
        `the host's Calico drops VXLAN on UDP port 4789 between machines; if the CNI needs them: ${allowVxlan}`,
      );
      expect(checkEncapsulation(cni, drops())).toContain('drops VXLAN on UDP port 4789 and IPIP between machines');
      expect(checkEncapsulation(cni, drops())).toContain(
        '{"spec":{"allowVXLANPacketsFromWorkloads":true,"allowIPIPPacketsFromWorkloads":true}}',
      );
      expect(checkEncapsulation(cni, drops({ vxlanPort: undefined }))).toContain(
        `--patch '{"spec":{"allowIPIPPacketsFromWorkloads":true}}'`,
      );
      expect(checkEncapsulation(cni, drops({ vxlanPort: undefined, ipip: false }))).toBeUndefined();
      expect(checkEncapsulation(cni, undefined)).toBeUndefined();
    },
  );
});
