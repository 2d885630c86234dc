import { KnestError } from '../../errors.ts';
import { ManifestError, parseManifest } from '../../host/api/manifest.ts';
import { lastLines, type Clusterctl } from '../../install/clusterctl.ts';
import { linesFor, missingIn } from '../../install/variables.ts';
import type { Variables } from '../../values/variables.ts';

/** A template that is not trusted with more than the variables that it is given. */
export interface Template {
  readonly text: string;
  /** Where it comes from, for people. */
  readonly origin: string;
}

/**
 * How clusterctl begins when the rendered text is not YAML: then it quotes all of it, with the values in it.
 * Source: cmd/clusterctl/client/repository/template.go.
 */
const NOT_YAML = /failed to parse yaml/;

/** Renders a template with these variables. `env`: the job's, which is not passed to it. Throws KNEST_TEMPLATE. */
export async function renderTemplate(
  clusterctl: Clusterctl,
  { text, origin }: Template,
  variables: Variables,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const { exitCode, stdout, stderr } = await clusterctl.generateYaml(text, variables);
  if (exitCode === 0) return stdout;
  const missing = missingIn(stderr);
  if (missing !== undefined) {
    throw new KnestError({
      code: 'KNEST_TEMPLATE',
      problem: `the template ${origin} needs variables that are not set: ${missing.join(', ')}`,
      evidence: linesFor('template-variables', missing, env),
      next: 'set them if you trust the template with them; docs/recipes/template.md lists the variables that inputs set',
    });
  }
  if (!NOT_YAML.test(stderr)) {
    throw new KnestError({
      code: 'KNEST_TEMPLATE',
      problem: `clusterctl cannot render the template ${origin}`,
      evidence: lastLines(stderr),
      next: 'check that it is a clusterctl template: YAML with ${VARIABLES}',
    });
  }
  const place = /yaml: line \d+: [^"\n]*$/m.exec(stderr)?.[0];
  const flaw = place === undefined ? flawOf(text) : undefined;
  if (flaw !== undefined) throw notObjects(flaw);
  throw new KnestError({
    code: 'KNEST_TEMPLATE',
    problem: `the template ${origin} is not valid YAML after its variables are replaced`,
    evidence: place === undefined ? [] : [place],
    next: 'check its indentation, and put quotes around its variables',
  });
}

/** The first document of a template that is YAML, but not an object; undefined where it is not YAML either. */
function flawOf(text: string): ManifestError | undefined {
  try {
    parseManifest(text);
    return undefined;
  } catch (thrown) {
    return thrown instanceof ManifestError ? thrown : undefined;
  }
}

/** The error for a template with a document that is not an object. */
export function notObjects(cause: ManifestError): KnestError {
  return new KnestError({
    code: 'KNEST_TEMPLATE',
    problem: `the template cannot be used: ${cause.message}`,
    next: 'give each document an apiVersion, a kind and a metadata.name',
    cause,
  });
}
