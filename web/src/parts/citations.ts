// Citations: from "[2]" in an answer to the source and to the sentence of it that carries the claim.

export type Piece = { type: "text"; text: string } | { type: "cite"; number: number };

const pattern = /\[(\d{1,2}(?:\s*,\s*\d{1,2})*)\]/g;

/** Splits text at citations such as [1] or [1, 3]. A number outside 1…`highest` is no citation and stays text. */
export function splitCitations(text: string, highest: number): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    const numbers = match[1]!.split(",").map((part) => Number(part.trim()));
    if (numbers.some((number) => number < 1 || number > highest)) continue;
    if (match.index > from) pieces.push({ type: "text", text: text.slice(from, match.index) });
    for (const number of numbers) pieces.push({ type: "cite", number });
    from = match.index + match[0].length;
  }
  if (from < text.length) pieces.push({ type: "text", text: text.slice(from) });
  return pieces;
}

/** Which sources an answer cites, in order of first mention. */
export function citedNumbers(answer: string, highest: number): number[] {
  const cited = splitCitations(answer, highest).flatMap((piece) => (piece.type === "cite" ? [piece.number] : []));
  return [...new Set(cited)];
}

/** The sentences of an answer that end in a citation of `number`; the whole answer when none does. */
export function claimsFor(answer: string, number: number): string {
  const sentences = answer.split(/(?<=[.!?\]])\s+(?=[^[])|\n+/);
  const own = sentences.filter((sentence) =>
    [...sentence.matchAll(pattern)].some((match) => match[1]!.split(",").some((part) => Number(part) === number)),
  );
  return own.length ? own.join(" ") : answer;
}

export type Passage = { text: string; marked: boolean };

/**
 * Marks the sentences of `source` that share most words with `claim`.
 * Shapes: returns the whole source in order, as runs that are marked or not. At most a third of the sentences (at least one) are marked,
 *         and only those with two shared words or more.
 * Cost:   O(words).
 */
export function markPassages(source: string, claim: string): Passage[] {
  const wanted = words(claim);
  const sentences = source.match(/[^.!?\n]*(?:[.!?]+(?=\s|$)|\n+|$)\s*|[^.!?\n]*[.!?]/g)?.filter((sentence) => sentence !== "") ?? [];
  if (sentences.join("") !== source) return [{ text: source, marked: false }];
  const scores = sentences.map((sentence) => {
    const own = words(sentence);
    let shared = 0;
    for (const word of own) if (wanted.has(word)) shared++;
    return shared < 2 ? 0 : shared / Math.sqrt(own.size);
  });
  const best = Math.max(...scores, 0);
  const allowed = Math.max(1, Math.floor(sentences.length / 3));
  const limit = Math.max(best * 0.6, [...scores].sort((a, b) => b - a)[allowed - 1] ?? 0);
  const runs: Passage[] = [];
  sentences.forEach((text, index) => {
    const marked = best > 0 && scores[index]! > 0 && scores[index]! >= limit;
    const last = runs.at(-1);
    if (last && last.marked === marked) last.text += text;
    else runs.push({ text, marked });
  });
  return runs;
}

const stop = new Set(
  "the and for are was with that this from which not but can you your has have its into they when then than will also one may more any all our use used using".split(
    " ",
  ),
);

function words(text: string): Set<string> {
  const found = text.toLowerCase().match(/[\p{L}\p{N}_]{3,}/gu) ?? [];
  return new Set(found.filter((word) => !stop.has(word)).map((word) => (word.length > 5 ? word.slice(0, 5) : word)));
}
