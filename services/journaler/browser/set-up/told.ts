let next: string | undefined;

/** Has a sentence said on the page that one goes to now. */
export function tellThere(sentence: string): void {
  next = sentence;
}

/** The sentence for this page, once. */
export function takeTold(): string | undefined {
  const told = next;
  next = undefined;
  return told;
}
