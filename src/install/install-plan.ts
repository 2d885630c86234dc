import { atVersion, type Component, type ProviderComponent } from '../catalog/components/component.ts';
import { statesOf, type Inventory } from './inventory.ts';

/** Components by what is to be done about each. */
export interface InstallPlan {
  /** Not there at all. */
  readonly absent: readonly Component[];
  /** Started by this action and not finished: completed in the version that was started. */
  readonly incomplete: readonly Component[];
  /** Installed, but not running at the moment: create waits for it. */
  readonly unavailable: readonly Component[];
}

/** Compares the components that a host needs with what it has. */
export function planInstallation(components: readonly Component[], inventory: Inventory): InstallPlan {
  const states = statesOf(components, inventory);
  const inState = (state: 'absent' | 'unavailable'): readonly Component[] =>
    states.filter(({ found }) => found.state === state).map(({ component }) => component);
  return {
    absent: inState('absent'),
    unavailable: inState('unavailable'),
    incomplete: states.flatMap(({ component, found }) =>
      found.state === 'incomplete' ? [atVersion(component, found.version)] : [],
    ),
  };
}

/**
 * What a plan needs: besides what is missing, cert-manager's manifest wherever `clusterctl init` runs,
 * which installs it again when an earlier run was interrupted before its webhook answered.
 */
export function needed({ absent, incomplete }: InstallPlan, components: readonly Component[]): readonly Component[] {
  const runsInit = absent.some(isProvider);
  return [...new Set([...absent, ...incomplete, ...(runsInit ? components.filter(isCertManager) : [])])];
}

/** Whether `clusterctl init` installs it as a provider. */
export function isProvider(component: Component): component is ProviderComponent {
  return component.installer === 'clusterctl';
}

/** Whether it is cert-manager, which `clusterctl init` brings. */
export function isCertManager({ installer }: Component): boolean {
  return installer === 'clusterctl-cert-manager';
}

/** Whether there is nothing to install or complete. */
export function isEmpty({ absent, incomplete }: InstallPlan): boolean {
  return absent.length === 0 && incomplete.length === 0;
}
