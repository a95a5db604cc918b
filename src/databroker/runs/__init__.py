"""What users hold: a run, the results of a search, and the streams of a run."""
