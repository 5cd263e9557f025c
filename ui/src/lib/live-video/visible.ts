/** Only what is in sight plays: tells whether an element can be seen, on a page that is not in the background. */

export function visible(node: Element, tell: (seen: boolean) => void): { destroy(): void } {
  let near = false;
  let said: boolean | null = null;
  const say = (): void => {
    const seen = near && document.visibilityState === 'visible';
    if (seen !== said) tell((said = seen));
  };
  const observer = new IntersectionObserver((entries) => {
    near = entries.at(-1)?.isIntersecting ?? near;
    say();
  });
  observer.observe(node);
  document.addEventListener('visibilitychange', say);
  return {
    destroy(): void {
      observer.disconnect();
      document.removeEventListener('visibilitychange', say);
    },
  };
}
