import { charactersLeft } from '@/components/tasks/task-text';

interface Props {
  id: string;
  text: string;
  max: number;
}

/** Shows how many characters are left, near the limit. */
export function LengthHint({ id, text, max }: Props) {
  const left = charactersLeft(text, max);
  const near = left <= max / 10;
  return (
    <p id={id} role="status" className={`text-right text-sm ${near ? 'mt-1' : 'sr-only'} ${left < 0 ? 'text-danger' : 'text-quiet'}`}>
      {near && (left < 0 ? `${count(-left)} too long` : `${count(left)} left`)}
    </p>
  );
}

const count = (characters: number) => `${characters} ${characters === 1 ? 'character' : 'characters'}`;
