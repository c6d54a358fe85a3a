/** Builds the counting phrases of one language: the number in its format, the noun in its plural form. */
export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & {
  readonly other: string;
};

/** `#` in a form stands for the number. */
export function counting(
  language: string,
): (forms: Forms) => (count: number) => string {
  const rules = new Intl.PluralRules(language);
  const number = new Intl.NumberFormat(language);
  return (forms) => (count) =>
    (forms[rules.select(count)] ?? forms.other).replace(
      '#',
      number.format(count),
    );
}
