import { useEffect, useEffectEvent } from 'react';

interface Keys {
  n: () => void;
  '?': () => void;
  /** Ctrl+Z, or ⌘Z. */
  undo: () => void;
}

/** What keys do where nobody is typing. */
export function useKeys(keys: Keys) {
  const press = useEffectEvent((event: KeyboardEvent) => {
    const { target, key, isComposing, altKey, shiftKey } = event;
    const command = event.ctrlKey || event.metaKey;
    // A field has an undo of its own, and takes letters; a dialog has the keyboard to itself.
    if (isComposing || (target instanceof Element && target.closest('input:not([type=checkbox]), textarea, dialog'))) {
      return;
    }
    if (command && !altKey && !shiftKey && key.toLowerCase() === 'z') {
      event.preventDefault();
      keys.undo();
    } else if (!command && !altKey && (key === 'n' || key === '?')) {
      event.preventDefault();
      keys[key]();
    }
  });
  useEffect(() => {
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}
