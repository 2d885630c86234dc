const UNIT_SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const PART = /(\d+)([smhd])/gy;

/**
 * Parses `90s`, `20m`, `4h`, `1h30m` or `2d` into seconds.
 * Returns undefined for anything else, for zero, and for more than 365 days.
 */
export function parseDuration(text: string): number | undefined {
  let seconds = 0;
  let end = 0;
  for (const match of text.matchAll(PART)) {
    seconds += Number(match[1]) * UNIT_SECONDS[match[2] as keyof typeof UNIT_SECONDS];
    end = match.index + match[0].length;
  }
  return end === text.length && seconds > 0 && seconds <= 365 * UNIT_SECONDS.d ? seconds : undefined;
}

/** Seconds as a person writes them: `20m`, `1h30m`, `45s`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  const parts = [
    [Math.floor(whole / 3600), 'h'],
    [Math.floor((whole % 3600) / 60), 'm'],
    [whole % 60, 's'],
  ] as const;
  return (
    parts
      .filter(([count]) => count > 0)
      .map(([count, unit]) => `${count}${unit}`)
      .join('') || '0s'
  );
}
