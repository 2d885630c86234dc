import { describe, expect, it } from 'vitest';
import { atVersion } from '../../../src/catalog/components/component.ts';
import { requiredComponents } from '../../../src/catalog/components/required-components.ts';
import type { Deployment } from '../../../src/host/api/objects.ts';
import { isCore } from '../../../src/install/inventory.ts';
import { describeChosen, describeRateLimits } from '../../../src/install/rate-limits.ts';
import { inventoryWith } from './inventories.ts';
import { versions } from './versions.ts';

const core = requiredComponents(versions, 'virtink').filter(isCore);

describe('describeChosen', () => {
  it('speaks of a Cluster API that was installed and would limit its controllers', () => {
    const lines = ['v1.12.9', 'v1.13.0', 'v1.14.2'].map((version) =>
      describeChosen(
        core.map((component) => atVersion(component, version)),
        {},
      ),
    );
    expect(lines.map((line) => line !== undefined)).toEqual([false, true, true]);
  });

  it('says nothing where Cluster API was there, or provider-variables decides', () => {
    expect(describeChosen([], {})).toBeUndefined();
    for (const value of ['true', 'false'])
      expect(describeChosen(core, { EXP_RECONCILER_RATE_LIMITING: value })).toBeUndefined();
  });
});

describe('describeRateLimits', () => {
  const host = (gates: string): ReturnType<typeof inventoryWith> => {
    const inventory = inventoryWith(core);
    const withArgs = (deployment: Deployment): Deployment => ({
      ...deployment,
      spec: { template: { spec: { containers: [{ args: ['--leader-elect', `--feature-gates=${gates}`] }] } } },
    });
    return { ...inventory, deployments: inventory.deployments.map(withArgs) };
  };

  it('speaks of a Cluster API of the host that limits its controllers, and of no other', () => {
    const of = (gates: string): string | undefined => describeRateLimits(core, host(gates));
    expect(of('MachinePool=true,ReconcilerRateLimiting=true,InPlaceUpdates=false')).toContain('ReconcilerRateLimiting');
    expect(of('MachinePool=true,ReconcilerRateLimiting=false')).toBeUndefined();
    expect(of('MachinePool=true')).toBeUndefined();
    expect(describeRateLimits(core, { ...host('ReconcilerRateLimiting=true'), deployments: [] })).toBeUndefined();
  });
});
