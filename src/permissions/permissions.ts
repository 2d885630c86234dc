import type { Permission } from './check-permissions.ts';
import { INSTALL_RULES } from './install-rules.ts';
import { NAMESPACE_RULES } from './namespace-rules.ts';
import type { Command, Feature, Rule } from './rule.ts';

// The rules are all that the action asks of a host: docs/rbac is made from them (npm run docs), and preflight checks what
// a command fails without. A test on a real host runs every command with these permissions alone.

/** The file that grants a table of rules to an account. */
const NAMESPACE_FILE = 'docs/rbac/namespace.yaml';
const INSTALL_FILE = 'docs/rbac/install.yaml';

/** What a command cannot do without in the cluster's namespace, for a cluster with these features. */
export function permissionsOf(
  command: Command,
  namespace: string,
  features: readonly Feature[] = [],
): readonly Permission[] {
  return permissions(neededRules(NAMESPACE_RULES, command, features), NAMESPACE_FILE, namespace);
}

/** What `permissionsOf` has for a cluster with these features, and not for one without. */
export function addedPermissions(
  command: Command,
  namespace: string,
  features: readonly Feature[],
): readonly Permission[] {
  const added = neededRules(NAMESPACE_RULES, command, features).filter(({ feature }) => feature !== undefined);
  return permissions(added, NAMESPACE_FILE, namespace);
}

/** What installing all that a cluster with these features needs cannot do without on the host as a whole. */
export function installPermissions(features: readonly Feature[] = []): readonly Permission[] {
  const needed = neededRules(INSTALL_RULES, 'create', features);
  // An account that may create objects of a kind may read them: a request for each verb of each kind would be too many.
  const checked = needed.map(({ verbs, ...rest }) => ({
    ...rest,
    verbs: verbs.filter((verb) => !['get', 'list', 'watch', 'update', 'patch'].includes(verb)),
  }));
  return permissions(checked, INSTALL_FILE);
}

function neededRules(rules: readonly Rule[], command: Command, features: readonly Feature[]): readonly Rule[] {
  return rules.filter(
    ({ neededBy, feature }) => neededBy.includes(command) && (feature === undefined || features.includes(feature)),
  );
}

function permissions(rules: readonly Rule[], grantedBy: string, namespace?: string): readonly Permission[] {
  const all = rules.flatMap(({ reason, verbs, resources }) =>
    resources.flatMap((one) =>
      verbs.map((verb): Permission => {
        const where = namespace === undefined ? {} : { namespace };
        return { verb, ...one, ...where, reason, grantedBy };
      }),
    ),
  );
  // Two rules may ask for the same permission; the message has the reason of the first.
  const keyed = new Map(all.toReversed().map((one) => [`${one.verb} ${one.group}/${one.resource}`, one]));
  return [...keyed.values()].toReversed();
}
