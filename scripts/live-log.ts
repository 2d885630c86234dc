/**
 * Shows the lines of a step's log as GitHub does: a group's title as a heading, annotations as text, nothing of the
 * other workflow commands, and every value that was asked to be masked as `***`. Returns what takes each line.
 */
export function liveLog(write: (line: string) => void): (line: string) => void {
  const secrets = new Set<string>();
  const masked = (text: string): string => {
    // The longest first: one secret may be part of another.
    const ordered = [...secrets].sort((one, other) => other.length - one.length);
    return ordered.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
  };
  return (line) => {
    const [, command, value = ''] = /^::([a-z-]+)(?: [^:]*)?::(.*)$/.exec(line) ?? [];
    const text = unescape(value);
    switch (command) {
      case undefined:
        write(masked(line));
        break;
      case 'add-mask':
        for (const secret of [text, ...text.split(/\r?\n/)]) if (secret.trim() !== '') secrets.add(secret);
        break;
      case 'group':
        write(masked(text));
        break;
      case 'error':
      case 'warning':
      case 'notice':
        write(masked(`${command.charAt(0).toUpperCase()}${command.slice(1)}: ${text}`));
        break;
    }
  };
}

/** A command's value as it was before it was made fit for one line. Source: actions/toolkit packages/core/src/command.ts. */
function unescape(value: string): string {
  return value.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}
