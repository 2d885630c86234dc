import type { AskedVersion } from '../../catalog/node-images.ts';
import { inputError, type InputProblem } from '../../errors.ts';
import { parseCidr, type Cidr } from '../../values/cidr.ts';
import { parseDuration } from '../../values/duration.ts';
import { nameProblem, type NameForm } from '../../values/object-name.ts';
import { parseBytes, suggestQuantity } from '../../values/quantity.ts';
import { quotedAddress } from '../../values/url-credentials.ts';
import { parseVersion, type Version } from '../../values/version.ts';

/** Gives the text of an input; undefined when nothing sets it, not even a default of action.yml. */
export type GetInput = (name: string) => string | undefined;

/** The inputs of a step, which the runner sets as variables. Source: actions/toolkit packages/core/src/core.ts, getInput. */
export function inputsIn(env: NodeJS.ProcessEnv): GetInput {
  return (name) => env[`INPUT_${name.toUpperCase()}`];
}

/** The default in action.yml of an input for which it matters whether it is given and blank, or not given at all. */
export const NOT_GIVEN = 'not-given';

/** Roughly the reference grammar of github.com/distribution/reference: enough to catch a typing error. */
const IMAGE = /^[a-z0-9][\w.:/-]*(?:@sha256:[a-f0-9]{64})?$/i;

/**
 * What a version that YAML cut short may have been. YAML reads 1.30 without quotes as the number 1.3, which is all that
 * the runner passes on: only the author knows which of the two was meant. `end` is what the version lacks besides.
 */
function quotesAdvice(text: string, end: '' | '.0'): string {
  // No minor version of today has three digits, and a text with a v is not a number.
  const [, major, minor = ''] = /^(\d{1,4})(?:\.(\d))?$/.exec(text) ?? [];
  if (major === undefined) return '';
  const written = `${major}.${minor}0`;
  return `; if the workflow has ${written}, it lacks quotes: YAML reads that as ${text}, so write '${written}${end}'`;
}

/** What to write instead of a version that is cut short. */
function versionAdvice(text: string): string {
  const [, major, minor = '0'] = /^v?(\d{1,4})(?:\.(\d{1,4}))?$/.exec(text) ?? [];
  return `; for example ${major ?? '1'}.${minor}.0${quotesAdvice(text, '.0')}`;
}

/**
 * Reads inputs one by one and keeps every problem, so that a user can correct all of them at once.
 * After a problem the value returned is a placeholder: call `finish` before using any.
 */
export class InputReader {
  readonly #get: GetInput;
  readonly #problems: InputProblem[] = [];

  constructor(get: GetInput) {
    this.#get = get;
  }

  /** Notes that an input cannot be used. */
  problem(input: string, problem: string): void {
    this.#problems.push({ input, problem });
  }

  /** The text as it is; undefined when blank. */
  optional(input: string): string | undefined {
    const text = this.#get(input)?.trim() ?? '';
    return text === '' ? undefined : text;
  }

  /** Whether a workflow sets the input, and the text is blank all the same: a secret that this job does not have. */
  isBlank(input: string): boolean {
    return this.#get(input)?.trim() === '';
  }

  /** The text as it is; undefined when blank, and when the input is not given. */
  given(input: string): string | undefined {
    const text = this.optional(input);
    return text === NOT_GIVEN ? undefined : text;
  }

  /** The text, which must not be blank. */
  required(input: string, hint: string): string {
    const text = this.optional(input);
    if (text === undefined) this.problem(input, `is missing; ${hint}`);
    return text ?? '';
  }

  /** A name that Kubernetes takes for an object of that form; undefined when blank. */
  optionalName(input: string, form: NameForm): string | undefined {
    const text = this.optional(input);
    const problem = text === undefined ? undefined : nameProblem(text, form);
    if (problem !== undefined) this.problem(input, problem);
    return text;
  }

  /** One of a few words. */
  choice<const Choice extends string>(input: string, choices: readonly [Choice, ...Choice[]]): Choice {
    const text = this.required(input, `one of ${choices.join(', ')}`);
    const chosen = choices.find((choice) => choice === text);
    if (chosen === undefined && text !== '')
      this.problem(input, `"${text}" is not supported; use one of ${choices.join(', ')}`);
    return chosen ?? choices[0];
  }

  /** `true` or `false`, in YAML 1.2's spellings as @actions/core takes them. */
  boolean(input: string): boolean {
    const text = this.required(input, 'true or false');
    if (text !== '' && !/^(?:true|false)$/i.test(text))
      this.problem(input, `"${text}" is not a boolean; use true or false`);
    return /^true$/i.test(text);
  }

  /** A whole number from `minimum` to `maximum`. */
  integer(input: string, minimum: number, maximum: number): number {
    const text = this.required(input, `a whole number from ${minimum} to ${maximum}`);
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (text !== '' && !(value >= minimum && value <= maximum)) {
      this.problem(input, `"${text}" is not a whole number from ${minimum} to ${maximum}`);
    }
    return value;
  }

  /** A Kubernetes quantity of at least `minimumBytes`, for `user`; the text is returned, as Kubernetes parses it itself. */
  quantity(input: string, minimumBytes: number, minimumText: string, user?: string): string {
    this.required(input, 'for example 4Gi');
    return this.optionalQuantity(input, minimumBytes, minimumText, user) ?? '';
  }

  /** The same; undefined when blank. */
  optionalQuantity(
    input: string,
    minimumBytes: number,
    minimumText: string,
    user = 'a Kubernetes node',
  ): string | undefined {
    const text = this.optional(input);
    if (text === undefined) return undefined;
    const bytes = parseBytes(text);
    if (bytes === undefined) {
      const suggestion = suggestQuantity(text);
      const advice = suggestion === undefined ? 'for example 4Gi' : `use ${suggestion}`;
      this.problem(input, `"${text}" is not a valid Kubernetes quantity; ${advice}`);
    } else if (bytes < minimumBytes) {
      this.problem(input, `${text} is too small for ${user}; at least ${minimumText}`);
    }
    return text;
  }

  /** A duration, in seconds. */
  duration(input: string): number {
    this.required(input, 'for example 20m');
    return this.optionalDuration(input) ?? 0;
  }

  /** A duration, in seconds; undefined when blank. */
  optionalDuration(input: string): number | undefined {
    const text = this.optional(input);
    if (text === undefined) return undefined;
    const seconds = parseDuration(text);
    if (seconds === undefined) this.problem(input, `"${text}" is not a duration; for example 90s, 20m, 4h or 1h30m`);
    return seconds;
  }

  /** A range of addresses; undefined when blank. */
  optionalCidr(input: string): Cidr | undefined {
    const text = this.optional(input);
    if (text === undefined) return undefined;
    const cidr = parseCidr(text);
    if ('text' in cidr) return cidr;
    this.problem(input, cidr.problem);
    return undefined;
  }

  /** A version of three numbers, with or without a leading `v`. */
  version(input: string): Version {
    const text = this.required(input, 'for example 1.36.3');
    const version = parseVersion(text);
    if (version === undefined && text !== '') this.problem(input, `"${text}" is not a version${versionAdvice(text)}`);
    return version ?? { major: 0, minor: 0, patch: 0, text: '0.0.0' };
  }

  /** The version of Kubernetes: three numbers, two for the newest patch of a minor version, or `latest`. */
  kubernetesVersion(input: string): AskedVersion {
    const text = this.optional(input);
    if (text === undefined) return { kind: 'default' };
    if (text === 'latest') return { kind: 'latest' };
    const [, major, minor] = /^v?(\d{1,4})\.(\d{1,4})$/.exec(text) ?? [];
    // No minor version of one digit is in use any more: such a number has lost its quotes, and a zero with them.
    if (major !== undefined && minor !== undefined && minor.length > 1) {
      return { kind: 'minor', major: Number(major), minor: Number(minor) };
    }
    const version = parseVersion(text);
    if (version !== undefined) return { kind: 'exact', version };
    const advice = `use for example 1.34, 1.34.1 or latest${quotesAdvice(text, '')}`;
    this.problem(input, `"${text}" is not a version of Kubernetes; ${advice}`);
    return { kind: 'default' };
  }

  /** A container image reference; undefined when blank. */
  optionalImage(input: string): string | undefined {
    const text = this.optional(input);
    if (text === undefined) return undefined;
    const [scheme, reference] = text.split('://');
    if (reference !== undefined) {
      this.problem(input, `"${text}" is not an image reference; leave out ${scheme}://`);
    } else if (!IMAGE.test(text)) {
      this.problem(input, `"${text}" is not an image reference; for example quay.io/project/image:v1.0`);
    }
    return text;
  }

  /** An http or https URL without a trailing slash; undefined when blank. */
  optionalUrl(input: string): string | undefined {
    const text = this.optional(input);
    if (text === undefined) return undefined;
    const url = URL.parse(text);
    if (url === null || !/^https?:$/.test(url.protocol)) {
      this.problem(input, `${quotedAddress(text)} is not an http or https URL`);
    } else if (url.search + url.hash !== '') {
      this.problem(input, 'has a query or a fragment; remove it');
    }
    return text.replace(/\/+$/, '');
  }

  /** Ends the reading. Throws KNEST_INPUT with every problem when there was any. */
  finish(): void {
    if (this.#problems.length === 0) return;
    throw inputError(this.#problems);
  }
}
