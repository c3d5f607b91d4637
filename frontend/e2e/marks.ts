/**
 * What no log may contain. The tests' names, addresses and passwords are marked; the rest is recognized by its form.
 */
const SECRETS: [what: string, form: RegExp][] = [
  ['a name, an address or a password', /marked[ .-]?[0-9a-f]+/gi],
  ['an e-mail address', /[\w.+-]+(@|%40)\w+/g],
  ['a password’s hash', /[0-9a-f]{32}:[0-9a-f]{64,}/g],
  ['a JWT', /eyJ[\w-]{10,}/g],
  ['an id or a session’s token', /(?<![\w-])(?=[A-Za-z0-9]*\d)[A-Za-z0-9]{32}(?![\w-])/g],
  ['a query', /Failed query|params:|select "|insert into "|update "|delete from "/gi],
];

/** The secrets in a text, with their kinds. */
export function secretsIn(text: string): string[] {
  return SECRETS.flatMap(([what, form]) => [...new Set(text.match(form))].map((found) => `${what}: ${found}`));
}
