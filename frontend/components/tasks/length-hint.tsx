interface Props {
  id?: string;
  text: string;
  max: number;
}

/** Shows how many characters are left, near the limit. */
export function LengthHint({ id, text, max }: Props) {
  // Counted in Unicode characters, as the API does.
  const left = max - [...text].length;
  const near = left <= max / 10;
  return (
    <p id={id} role="status" className={`text-right text-sm ${near ? 'mt-1' : 'sr-only'} ${left < 0 ? 'text-danger' : 'text-quiet'}`}>
      {near && (left < 0 ? `${-left} characters too long` : `${left} characters left`)}
    </p>
  );
}
