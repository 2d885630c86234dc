import type { Variables } from '../values/variables.ts';

/** Something that clusterctl renders without the environment of the job. */
export interface Rendered {
  readonly text: string;
  /** What it is, for people: the beginning of a sentence. */
  readonly title: string;
  /** The input that gives its variables their values. */
  readonly input: 'template-variables' | 'provider-variables';
}

/** Names of variables that the runner sets: the expression `env` does not have them, and no template needs them. */
const OF_RUNNER = /^(?:ACTIONS|GITHUB|INPUT|RUNNER|STATE)_/;

/** How clusterctl names the variables without a value. Source: cmd/clusterctl/client/yamlprocessor/simple_processor.go. */
const MISSING = /value for variables \[([^\]]+)\] is not set/;

/** The variables that clusterctl has no value for; undefined when it failed for another reason. */
export function missingIn(stderr: string): readonly string[] | undefined {
  return MISSING.exec(stderr)?.[1]?.split(', ');
}

/** The lines of a step that give variables their values: those that they have in `env` of the job, if they have one there. */
export function linesFor(input: Rendered['input'], names: readonly string[], env: NodeJS.ProcessEnv): string[] {
  return [
    'the env of the job is not passed on; add to this step:',
    `${input}: |`,
    ...names.map((name) => `  ${lineFor(name, env)}`),
  ];
}

/** The variables for which a default is taken although `env` of the job has a value, a sentence each. */
export function describeDefaults({ text, title, input }: Rendered, given: Variables, env: NodeJS.ProcessEnv): string[] {
  return [...usedVariables(text)]
    .filter((name) => given[name] === undefined && env[name] !== undefined)
    .map((name) =>
      OF_RUNNER.test(name)
        ? `${title} asks for ${name}, which belongs to the job and is not passed on`
        : `${title} takes its default for ${name}, since the env of the job is not passed on; to pass it, add to ${input}: ${lineFor(name, env)}`,
    );
}

function lineFor(name: string, env: NodeJS.ProcessEnv): string {
  return `${name}=${env[name] === undefined || OF_RUNNER.test(name) ? 'VALUE' : `\${{ env.${name} }}`}`;
}

/** The names of all variables in a template; behind a second dollar there is none. */
export function usedVariables(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/(?<!\$)\$\{\s*(\w+)/g)].map(([, name = '']) => name));
}
