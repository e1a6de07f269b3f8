// Goal: a citation leads to its source and to the sentence behind it. Method: answers and sources with known matches.
import { describe, expect, it } from "vitest";
import { citedNumbers, claimsFor, markPassages, splitCitations } from "./citations";

describe("citations", () => {
  it("are split from the text", () => {
    expect(splitCitations("A [1]. B [2, 3]!", 3)).toEqual([
      { type: "text", text: "A " },
      { type: "cite", number: 1 },
      { type: "text", text: ". B " },
      { type: "cite", number: 2 },
      { type: "cite", number: 3 },
      { type: "text", text: "!" },
    ]);
  });
  it("leave array indices and unknown numbers as text", () => {
    expect(splitCitations("values[7] and [0] and [x]", 5)).toEqual([{ type: "text", text: "values[7] and [0] and [x]" }]);
  });
  it("are listed once in order of mention", () => expect(citedNumbers("a [3] b [1] c [3]", 3)).toEqual([3, 1]));
  it("name the sentence that claims something", () => {
    expect(claimsFor("Constructors initialise objects [1]. Destructors clean up [2]. End.", 2)).toBe("Destructors clean up [2].");
    expect(claimsFor("No mark here.", 2)).toBe("No mark here.");
  });
});

describe("passages", () => {
  const source =
    "Streams are buffered. A destructor releases the memory that an object owns. It has no return type.\nSee also 8.2 for more.";
  it("mark the sentence that shares the claim's words", () => {
    const marked = markPassages(source, "The destructor releases memory owned by the object [2].").filter((run) => run.marked);
    expect(marked.map((run) => run.text.trim())).toEqual(["A destructor releases the memory that an object owns."]);
  });
  it("keep every character of the source", () => {
    for (const text of [source, "", "one", "a.b.c", "x = y.z();\n\n// end…  ", "...", "What?! Yes. 3.14 is pi"]) {
      expect(
        markPassages(text, "destructor memory pi")
          .map((run) => run.text)
          .join(""),
      ).toBe(text);
    }
  });
  it("mark nothing without shared words", () => expect(markPassages(source, "bananas").some((run) => run.marked)).toBe(false));
});
