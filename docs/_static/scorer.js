// How the results of a search are ordered. What is called what was typed comes first: "layer norm" leads to layer_norm.
var Scorer = {
  score: ([page, title, anchor, description, score, file, kind]) => {
    const bare = (text) => text.toLowerCase().replace(/[\s_-]+/g, "");
    const typed = (new URLSearchParams(location.search).get("q") || "").trim().toLowerCase();
    if (kind !== "object" || !typed) return score;
    const name = title.split(".").pop();
    if (name.toLowerCase() === typed.replace(/[\s-]+/g, "_")) return score + 200;
    return bare(name) === bare(typed) ? score + 150 : score;
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
