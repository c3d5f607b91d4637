/** The most characters of a name. */
const MAX = 100;

export const NAME_RULE = `A name has 1 to ${MAX} characters that can be seen, and no line breaks.`;

/**
 * A user's name as it is stored, without blanks around it; undefined if it is none. The migration `0002_names` knows the
 * rule, too.
 */
export function nameOf(input: unknown): string | undefined {
  const name = typeof input === 'string' ? input.trim() : '';
  const hasControls = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(name);
  const isVisible = /[^\s\p{Cf}\p{DI}\u2800]/u.test(name);
  return isVisible && !hasControls && [...name].length <= MAX ? name : undefined;
}
