import type { EngineName } from '../cluster/engines/engine.ts';
import { groupOf, type Kind } from '../host/api/kinds.ts';
import type { Inputs } from '../inputs.ts';

/** The commands of the action. */
export type Command = Inputs['command'];

/** What some clusters have and others do not. `local-volumes`: a cluster that loses machines may have some on their disks. */
export type Feature = EngineName | 'addons' | 'local-volumes' | 'persistent' | 'registry' | 'tunnel';

/** Something the action does on a host, as a rule of a Role grants it. */
export interface Rule {
  /** The end of a sentence. */
  readonly reason: string;
  readonly verbs: readonly string[];
  readonly resources: readonly Resource[];
  /** The commands that fail without it; others report less. */
  readonly neededBy: readonly Command[];
  /** Undefined: needed by every cluster. */
  readonly feature?: Feature;
  /** The only objects that it is about. */
  readonly names?: readonly string[];
}

/** Kinds as RBAC names them. */
interface Resource {
  readonly group: string;
  readonly resource: string;
}

/** Kinds that the action never names otherwise, as RBAC names them. */
export function resource(group: string, resource: string): Resource {
  return { group, resource };
}

/** A rule for these kinds. Without `neededBy`, no command fails without it. */
export function rule(
  reason: string,
  verbs: readonly string[],
  what: readonly (Kind | Resource)[],
  neededBy: readonly Command[] = [],
  more: Pick<Rule, 'feature' | 'names'> = {},
): Rule {
  return { reason, verbs, resources: what.map(resourceOf), neededBy, ...more };
}

function resourceOf(what: Kind | Resource): Resource {
  if ('group' in what) return what;
  return resource(groupOf(what), what.plural);
}
