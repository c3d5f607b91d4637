import { useEffect, useEffectEvent } from 'react';

/**
 * Whether a key belongs to the input method that composes a character. Safari sends it after the composition, with this
 * code.
 */
export const isComposing = ({ isComposing, keyCode }: KeyboardEvent) => isComposing || keyCode === 229;

interface Keys {
  n: () => void;
  '?': () => void;
  /** Ctrl+Z or ⌘Z; returns whether there was something to undo. */
  undo: () => boolean;
}

/** Keyboard shortcuts, active while the user is not typing. */
export function useKeys(keys: Keys) {
  const press = useEffectEvent((event: KeyboardEvent) => {
    const { target, key, altKey, shiftKey } = event;
    const command = event.ctrlKey || event.metaKey;
    const field = target instanceof Element && target.closest<HTMLInputElement>('input:not([type=checkbox]), textarea');
    // An open dialog handles all keys.
    if (isComposing(event) || (target instanceof Element && target.closest('dialog'))) {
      return;
    }
    if (command && !altKey && !shiftKey && key.toLowerCase() === 'z') {
      // A field with text has its own undo.
      if (!(field && field.value) && keys.undo()) {
        event.preventDefault();
      }
    } else if (!field && !command && !altKey && (key === 'n' || key === '?')) {
      event.preventDefault();
      keys[key]();
    }
  });
  useEffect(() => {
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}
