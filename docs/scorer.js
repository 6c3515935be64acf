// Prose before code. Names come last, but for one that is typed in full and is no ordinary word, such as mf_learner.
// A page comes before its entry in the glossary.
var Scorer = {
  score: ([docname, title, , , score, , kind]) => {
    if (kind === "object") {
      const name = title.split(".").pop();
      return score >= Scorer.objNameMatch && /_|.[A-Z]/.test(name) ? 90 : score - 100;
    }
    return docname === "glossary" ? score - 1 : score;
  },
  objNameMatch: 20,
  objPartialMatch: 1,
  objPrio: { 0: 0, 1: 0, 2: 0 },
  objPrioDefault: 0,
  title: 40,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
