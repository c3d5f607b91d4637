import { type RefObject, useCallback, useLayoutEffect, useReducer, useRef } from 'react';

/** Returns a function that focuses the first element of `root` that matches a selector, once React has rendered it. */
export function useFocusWhenDrawn(root: RefObject<HTMLElement | null>): (selector: string) => void {
  const wanted = useRef<string | null>(null);
  const [, draw] = useReducer((count: number) => count + 1, 0);
  useLayoutEffect(() => {
    const element = wanted.current && root.current?.querySelector<HTMLElement>(wanted.current);
    if (element) {
      wanted.current = null;
      element.focus();
    }
  });
  return useCallback((selector) => {
    wanted.current = selector;
    draw();
  }, []);
}
