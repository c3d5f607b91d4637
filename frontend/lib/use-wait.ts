'use client';

import { useCallback, useEffect, useState } from 'react';

/** A duration as text, such as `90 seconds` or `2 minutes`. */
export function inWords(seconds: number): string {
  const [count, unit] = seconds < 100 ? [seconds, 'second'] : [Math.ceil(seconds / 60), 'minute'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** The remaining seconds of a wait, updated every second, and a function to start one. */
export function useWait(): [left: number, begin: (seconds: number) => void] {
  const [until, setUntil] = useState(0);
  const [left, setLeft] = useState(0);
  const begin = useCallback((seconds: number) => {
    setUntil(Date.now() + seconds * 1_000);
    setLeft(seconds);
  }, []);
  useEffect(() => {
    if (until === 0) {
      return;
    }
    const timer = setInterval(() => {
      const now = Math.max(0, Math.ceil((until - Date.now()) / 1_000));
      setLeft(now);
      if (now === 0) {
        clearInterval(timer);
      }
    }, 250);
    return () => clearInterval(timer);
  }, [until]);
  return [left, begin];
}
