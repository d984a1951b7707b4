/**
 * English words that carry no topic: function words, auxiliaries, pronouns, and what is left of contractions.
 *
 * Neither indexed nor searched for. Question words are among them on purpose: "when did she move" is about moving.
 */
export const STOP_WORDS: ReadonlySet<string> = new Set(
  `a about above after again against all am an and any are aren as at be because been before being below between both but by
  can could couldn d did didn do does doesn doing don down during each few for from further had hadn has hasn have haven
  having he her here hers herself him himself his how i if in into is isn it its itself just ll m me might more most must my
  myself no nor not now o of off on once only or other our ours out over own re s same she should so some such t than that the
  their theirs them then there these they this those through to too under until up ve very was wasn we were weren what when
  where which while who whom whose why will with won would you your yours yourself yourselves`.split(/\s+/),
);
