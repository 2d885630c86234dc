import type { Component } from '../catalog/components/component.ts';
import type { Variables } from '../values/variables.ts';
import { compareMinor, parseVersion } from '../values/version.ts';
import { asFound, isCore, objectAt, type Inventory } from './inventory.ts';

/**
 * Sets the feature gate ReconcilerRateLimiting of Cluster API v1.13 and later: with it, a controller looks at an object at
 * most once a second. Source: cluster-api feature/feature.go and the managers' manifests.
 */
const VARIABLE = 'EXP_RECONCILER_RATE_LIMITING';

/** The first version of Cluster API with the limit. */
const FIRST = { major: 1, minor: 13 };

/** Values of providers' variables that the action chooses where `provider-variables` has none. */
export const CHOSEN_VARIABLES: Variables = { [VARIABLE]: 'false' };

/** What a Cluster API with these variables does differently from its release, for people; undefined for nothing. */
export function describeChosen(installed: readonly Component[], given: Variables): string | undefined {
  const version = parseVersion(installed.find(isCore)?.version ?? '');
  if (given[VARIABLE] !== undefined || version === undefined || compareMinor(version, FIRST) < 0) return undefined;
  return `Cluster API gets no rate limit for its controllers, so that clusters start sooner; provider-variables: ${VARIABLE}=true keeps it`;
}

/** That the Cluster API of a host limits its controllers, for people; undefined when it does not, or there is none. */
export function describeRateLimits(components: readonly Component[], inventory: Inventory): string | undefined {
  const [manager] = asFound(components, inventory).find(isCore)?.workloads ?? [];
  const containers = (manager && objectAt(manager, inventory))?.spec?.template?.spec?.containers ?? [];
  const isLimited = containers.some(({ args = [] }) => args.some((arg) => /ReconcilerRateLimiting=true/.test(arg)));
  if (!isLimited) return undefined;
  return "this host's Cluster API limits the rate of its controllers; without the feature gate ReconcilerRateLimiting, clusters start several seconds sooner";
}
