/** The words for the inputs and the job in messages of the action, and those for the options and the script. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/\bnothing was created\b/g, 'nothing was fetched'],
  [/(?<!-)\bchecksum-policy: (require|mirror|warn)\b/g, '--checksum-policy $1'],
  [/(?<!-)\b(checksums-file|checksum-policy)\b/g, '--$1'],
  [/\b(set|in) mirror\b/g, '$1 --mirror'],
  [/\bgithub-token\b/g, 'GITHUB_TOKEN'],
  [/\binput(s?)\b/g, 'option$1'],
  [/\brun the job again\b/g, 'run this again'],
  [/\bthis runner\b/g, 'this machine'],
];

/** A message of the action in the words of `npm run mirror`. `options`: the names of its options. */
export function forMirrorScript(message: string, options: readonly string[]): string {
  const beginning = new RegExp(`^(?:${options.join('|')})(?=: )`, 'gm');
  const named = message.replace(beginning, '--$&');
  return WORDS.reduce((text, [word, replacement]) => text.replace(word, replacement), named);
}
