"""From alarms to people: who is told of what on which channel, when, in which words, and what became of it."""
