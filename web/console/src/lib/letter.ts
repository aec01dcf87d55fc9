// A team's letter: its template with the words put in. The server does the same when a letter leaves; this is its preview.

export interface LetterWords {
  text: string;
  signature: string;
  agent: string;
  customer: string;
  number: string;
}

/** Without a template it is the text with the signature below. Words that are put in are not read as a template again. */
export function letterOf(template: string, words: LetterWords): string {
  if (!template.trim()) return words.signature ? `${words.text}\n\n${words.signature}` : words.text;
  return template
    .replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, name: string) => words[name as keyof LetterWords] ?? whole)
    .trimEnd();
}
