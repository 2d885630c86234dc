/** What the runner makes of a log: what a step asks to be masked is `***` in every line that follows. */
export class Masker {
  #masks: readonly string[] = [];

  /** The log as it is shown, commands and all but those that ask for masks. */
  shown(log: string): string {
    const lines = log.split(/\r?\n/).flatMap((line) => {
      const [, value] = /^\s*::add-mask::(.*)$/.exec(line) ?? [];
      if (value === undefined) return [this.#masks.reduce((rest, mask) => rest.replaceAll(mask, '***'), line)];
      this.#add(value.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%'));
      return [];
    });
    return lines.join('\n');
  }

  #add(value: string): void {
    const all = new Set([...this.#masks, value, ...value.split(/[\r\n]+/).map((line) => line.trim())]);
    all.delete('');
    this.#masks = [...all].sort((one, other) => other.length - one.length);
  }
}
