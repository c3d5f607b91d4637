interface Props {
  id?: string;
  text: string;
  max: number;
}

/** Says how many characters are left, near the limit. */
export function LengthHint({ id, text, max }: Props) {
  // As the API counts: Unicode characters.
  const left = max - [...text].length;
  const near = left <= max / 10;
  return (
    <p id={id} role="status" className={`text-right text-sm ${near ? 'mt-1' : 'sr-only'} ${left < 0 ? 'text-danger' : 'text-quiet'}`}>
      {near && (left < 0 ? `${-left} characters too long` : `${left} characters left`)}
    </p>
  );
}
