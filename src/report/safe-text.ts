import { stripVTControlCharacters } from 'node:util';

/**
 * Two colons at the beginning of a line. The runner trims it as .NET does, of more than JavaScript takes for space
 * (U+0085), and compares by the rules of a language, which overlook what is not seen: nothing of that may precede.
 */
const COMMAND = /^([^\p{L}\p{N}\p{P}\p{S}]*):(?=:)/u;

/** Control characters, except tabs and line ends. */
const CONTROL = /[^\P{Cc}\t\r\n]/gu;

/**
 * Invisible characters: zero-width and bidirectional ones, fillers, variation selectors and tags.
 * They make a text look like a different one, or show it in a different order.
 */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\u{FFF9}-\u{FFFB}]/gu;

/** The text as it looks: without escape sequences of terminals, control characters and invisible characters. */
export function visible(text: string): string {
  return stripVTControlCharacters(text).replace(CONTROL, '').replace(INVISIBLE, '');
}

/** The visible text on one line. */
export function oneLine(text: string): string {
  return visible(text).replace(/\s+/g, ' ');
}

/**
 * Makes a text from the host, a nested cluster or a pull request harmless for the log. The runner takes a line for a
 * command when it begins with `::` or contains `##[`. Source: actions/runner src/Runner.Common/ActionCommand.cs.
 */
export function harmless(text: string): string {
  return visible(text)
    .split(/\r\n|[\r\n\u2028\u2029]/)
    .map((line) => line.replace(COMMAND, '$1: ').replaceAll('##[', '# #['))
    .join('\n');
}
