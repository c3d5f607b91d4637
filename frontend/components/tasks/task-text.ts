import type { NewTask, Task } from '@/lib/api-client';

/** What the user writes of a task, as it is in a form. */
export interface TaskText {
  title: string;
  description: string;
}

export const NO_TEXT: TaskText = { title: '', description: '' };

/** The API's limits, in characters. */
export const LIMITS = { title: 200, description: 1000 };

/** In Unicode characters, as the API counts. */
export const charactersLeft = (text: string, max: number) => max - [...text.trim()].length;

/** The first field that is too long. */
export const tooLong = (text: TaskText) => (['title', 'description'] as const).find((field) => charactersLeft(text[field], LIMITS[field]) < 0);

/** What the API stores of a text. */
export type StoredText = Pick<Task, keyof TaskText>;

/** A stored text as a form shows it. */
export const toText = ({ title, description }: NewTask): TaskText => ({
  title,
  description: description ?? '',
});

/** A form's text as it is stored. */
export const toStored = ({ title, description }: TaskText): StoredText => ({
  title: title.trim(),
  description: description.trim() || null,
});

export const isSameText = (one: StoredText, other: StoredText) =>
  one.title === other.title && one.description === other.description;

export const isEmpty = ({ title, description }: TaskText) => !title && !description;
