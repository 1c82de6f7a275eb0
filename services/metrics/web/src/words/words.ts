/** Words of one area, in every language of the page; a key that one of them lacks does not compile. */
export interface Words<Key extends string> {
  readonly en: Readonly<Record<Key, string>>;
  readonly zh: Readonly<Record<Key, string>>;
}

/** `{name}` in a text stands for a value that is put in. */
export function words<Key extends string>(both: Words<Key>): Words<Key> {
  return both;
}
