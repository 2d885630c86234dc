/** A shorter last line of a key gives nothing away, and masking it would riddle the log. */
const SHORTEST_LINE_OF_KEY = 8;

/**
 * What must not be shown of a secret: the text, its base64, and each of its lines, since logs show one line at a time.
 * Of a key in PEM not the frame, which is the same for all keys.
 */
export function secretForms(secret: string): readonly string[] {
  const encoded = Buffer.from(secret).toString('base64');
  const lines = secret.split(/\r\n|[\r\n]/).map((line) => line.trim());
  const isPem = lines.some((line) => line.startsWith('-----BEGIN '));
  const shown = lines.filter((line) => !isPem || (line.length >= SHORTEST_LINE_OF_KEY && !line.startsWith('-----')));
  return [...new Set([encoded, ...shown])].filter((form) => form !== '');
}
