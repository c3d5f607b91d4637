import { useEffect, useEffectEvent } from 'react';

interface Keys {
  n: () => void;
  '?': () => void;
  /** Ctrl+Z, or ⌘Z; gives whether there was something to undo. */
  undo: () => boolean;
}

/** What keys do where nobody is typing. */
export function useKeys(keys: Keys) {
  const press = useEffectEvent((event: KeyboardEvent) => {
    const { target, key, isComposing, altKey, shiftKey } = event;
    const command = event.ctrlKey || event.metaKey;
    const field = target instanceof Element && target.closest<HTMLInputElement>('input:not([type=checkbox]), textarea');
    // A dialog has the keyboard to itself.
    if (isComposing || (target instanceof Element && target.closest('dialog'))) {
      return;
    }
    if (command && !altKey && !shiftKey && key.toLowerCase() === 'z') {
      // A field has an undo of its own, while there is text in it.
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
