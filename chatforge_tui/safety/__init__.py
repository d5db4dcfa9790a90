"""Pure: cleaning text for a terminal, redacting secrets, judging URLs and file names."""
