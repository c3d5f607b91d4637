import { api } from '@/lib/api';
import type { Task } from '@/lib/api-client';

const PAGE = 100;

/** Reads every task of a user, newest first; reports the number after each page. */
export async function readAllTasks(userId: string, onRead: (tasks: number) => void): Promise<Task[]> {
  const tasks: Task[] = [];
  let next: string | null = null;
  do {
    const page = await api.getTaskPage(userId, next ?? { limit: PAGE });
    tasks.push(...page.tasks);
    onRead(tasks.length);
    next = page.next;
  } while (next);
  return tasks;
}

/** Lets the browser save a value as a JSON file. */
export function saveJson(name: string, value: unknown) {
  const url = URL.createObjectURL(new Blob([JSON.stringify(value, null, 2)], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // After the browser has begun to read it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
