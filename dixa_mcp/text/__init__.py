"""Pure functions over text: cleaning, fencing, names, times, pseudonyms and what leaves the house."""
